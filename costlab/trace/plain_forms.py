"""Plain forms of what torch fuses, or does in other steps on each device."""

from __future__ import annotations

import torch
from torch.nn import functional as F  # noqa: N812  the name that everybody knows it by


def recurrent_layers() -> dict:
    """torch's own recurrent layers written in Python, by their name in `torch._VF`.

    A packed sequence comes as (data, batch_sizes, hidden, weights, ...), a plain one as
    (input, hidden, weights, ...)."""
    from torch._decomp import decompositions as forms

    kinds = {
        "lstm": (forms.lstm_impl, forms.lstm_data_impl),
        "gru": (forms.gru_impl, forms.gru_impl_data),
        "rnn_tanh": (forms.rnn_tanh_input, forms.rnn_tanh_data),
        "rnn_relu": (forms.rnn_relu_input, forms.rnn_relu_data),
    }

    def either(whole, packed):
        return lambda *args: (packed if isinstance(args[3], (list, tuple)) else whole)(*args)

    return {name: either(*pair) for name, pair in kinds.items()}


def one_hot(tensor, num_classes=-1):
    """`F.one_hot` in one form; torch's differs by device."""
    n = int(tensor.max()) + 1 if num_classes == -1 else num_classes
    zeros = torch.zeros((*tensor.shape, n), dtype=torch.int64, device=tensor.device)
    return zeros.scatter_(-1, tensor.unsqueeze(-1), 1)


def pad_packed(data, batch_sizes, batch_first, padding_value, total_length):
    """`torch._VF._pad_packed_sequence` in one form; torch's writes lengths from C++, which `meta`
    has no memory for."""
    sizes = batch_sizes.tolist()
    batch = sizes[0]
    whole = (0, 0) * (data.dim() - 1)
    steps = [
        F.pad(step, (*whole, 0, batch - step.shape[0]), value=padding_value)
        for step in data.split(sizes)
    ]
    steps += [torch.full_like(steps[0], padding_value)] * (total_length - len(sizes))
    out = torch.stack(steps)
    lengths = torch.tensor([sum(n > b for n in sizes) for b in range(batch)])
    return out.transpose(0, 1) if batch_first else out, lengths
