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


def lstm_cell(x, hidden, w_ih, w_hh, b_ih=None, b_hh=None):  # noqa: PLR0917  torch's signature
    """`torch._VF.lstm_cell` as torch runs it on the CPU; on CUDA its gates are fused."""
    h, c = hidden
    gates = F.linear(h, w_hh, b_hh).add_(F.linear(x, w_ih, b_ih))
    i, f, g, o = torch.unsafe_chunk(gates, 4, 1)
    i, f, g, o = i.sigmoid_(), f.sigmoid_(), g.tanh_(), o.sigmoid_()
    c = (f * c).add_(i * g)
    return o * c.tanh(), c


def gru_cell(x, h, w_ih, w_hh, b_ih=None, b_hh=None):  # noqa: PLR0917  torch's signature
    """`torch._VF.gru_cell` as torch runs it on the CPU; on CUDA its gates are fused."""
    of_input = torch.unsafe_chunk(F.linear(x, w_ih, b_ih), 3, 1)
    of_hidden = torch.unsafe_chunk(F.linear(h, w_hh, b_hh), 3, 1)
    reset = of_hidden[0].add_(of_input[0]).sigmoid_()
    update = of_hidden[1].add_(of_input[1]).sigmoid_()
    new = of_input[2].add(of_hidden[2].mul_(reset)).tanh_()
    return (h - new).mul_(update).add_(new)


def rms_norm(x, normalized_shape, weight=None, eps=None):
    """`torch.rms_norm` as torch runs it on the CPU; on CUDA its backward pass is fused."""
    wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    dims = tuple(range(-len(normalized_shape), 0))
    eps = torch.finfo(wide.dtype).eps if eps is None else eps
    scaled = wide.mul(wide.pow(2).mean(dims, keepdim=True).add_(eps).rsqrt())
    return (scaled if weight is None else scaled.mul(weight)).type_as(x)


def _dropout(x, p, train=True):
    """As torch runs dropout on the CPU: the noise has the scale in it."""
    if train is False or p == 0:
        return x.clone(), torch.ones_like(x)
    noise = torch.empty_like(x).bernoulli_(1 - p).div_(1 - p)
    return x * noise, noise


def _dropout_backward(gradient, noise, _scale):
    return gradient * noise


# what torch chooses below Python, by overload: the recorder runs the plain form in its place
OVERLOADS = {
    torch.ops.aten.native_dropout.default: _dropout,
    torch.ops.aten.native_dropout_backward.default: _dropout_backward,
}


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
