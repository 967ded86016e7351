"""Plain forms of what torch fuses, or does in other steps on each device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  the name that everybody knows it by


def recurrent_layers() -> dict[str, Callable[..., Any]]:
    """torch's own recurrent layers written in Python, by their name in `torch._VF`.

    A packed sequence comes as (data, batch_sizes, hidden, weights, ...), a plain one as
    (input, hidden, weights, ...)."""
    from torch._decomp import decompositions

    forms: Any = cast("Any", decompositions)  # torch has no types here
    kinds = {
        "lstm": (forms.lstm_impl, forms.lstm_data_impl),
        "gru": (forms.gru_impl, forms.gru_impl_data),
        "rnn_tanh": (forms.rnn_tanh_input, forms.rnn_tanh_data),
        "rnn_relu": (forms.rnn_relu_input, forms.rnn_relu_data),
    }

    def either(whole: Callable[..., Any], packed: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            return (packed if isinstance(args[3], (list, tuple)) else whole)(*args)

        return run

    return {name: either(*pair) for name, pair in kinds.items()}


def lstm_cell(  # noqa: PLR0917  torch's signature
    x: Tensor,
    hidden: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`torch._VF.lstm_cell` as torch runs it on the CPU; on CUDA its gates are fused."""
    h, c = hidden
    gates = F.linear(h, w_hh, b_hh).add_(F.linear(x, w_ih, b_ih))
    i, f, g, o = torch.unsafe_chunk(gates, 4, 1)
    i, f, g, o = i.sigmoid_(), f.sigmoid_(), g.tanh_(), o.sigmoid_()
    c = (f * c).add_(i * g)
    return o * c.tanh(), c


def gru_cell(  # noqa: PLR0917  torch's signature
    x: Tensor,
    h: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """`torch._VF.gru_cell` as torch runs it on the CPU; on CUDA its gates are fused."""
    of_input = torch.unsafe_chunk(F.linear(x, w_ih, b_ih), 3, 1)
    of_hidden = torch.unsafe_chunk(F.linear(h, w_hh, b_hh), 3, 1)
    reset = of_hidden[0].add_(of_input[0]).sigmoid_()
    update = of_hidden[1].add_(of_input[1]).sigmoid_()
    new = of_input[2].add(of_hidden[2].mul_(reset)).tanh_()
    return (h - new).mul_(update).add_(new)


def rms_norm(
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """`torch.rms_norm` as torch runs it on the CPU; on CUDA its backward pass is fused."""
    wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    dims = tuple(range(-len(normalized_shape), 0))
    eps = torch.finfo(wide.dtype).eps if eps is None else eps
    scaled = wide.mul(wide.pow(2).mean(dims, keepdim=True).add_(eps).rsqrt())
    return (scaled if weight is None else scaled.mul(weight)).type_as(x)


def _dropout(x: Tensor, p: float, train: bool | None = True) -> tuple[Tensor, Tensor]:
    """As torch runs dropout on the CPU: the noise has the scale in it."""
    if train is False or p == 0:
        return x.clone(), torch.ones_like(x)
    noise = torch.empty_like(x).bernoulli_(1 - p).div_(1 - p)
    return x * noise, noise


def _dropout_backward(gradient: Tensor, noise: Tensor, _scale: float) -> Tensor:
    return gradient * noise


# what torch chooses below Python, by overload: the recorder runs the plain form in its place
OVERLOADS: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.native_dropout.default: _dropout,
    torch.ops.aten.native_dropout_backward.default: _dropout_backward,
}


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """`F.one_hot` in one form; torch's differs by device."""
    n = int(tensor.max()) + 1 if num_classes == -1 else num_classes
    zeros = torch.zeros((*tensor.shape, n), dtype=torch.int64, device=tensor.device)
    return zeros.scatter_(-1, tensor.unsqueeze(-1), 1)


def pad_packed(
    data: Tensor,
    batch_sizes: Tensor,
    batch_first: bool,
    padding_value: float,
    total_length: int,
) -> tuple[Tensor, Tensor]:
    """`torch._VF._pad_packed_sequence` in one form; torch's writes lengths from C++, which `meta`
    has no memory for."""
    sizes = cast("list[int]", batch_sizes.tolist())  # pyright: ignore[reportUnknownMemberType] no types
    batch = sizes[0]
    whole = (0, 0) * (data.dim() - 1)
    steps = [
        F.pad(step, (*whole, 0, batch - step.shape[0]), value=padding_value)
        for step in cast("tuple[Tensor, ...]", data.split(sizes))  # pyright: ignore[reportUnknownMemberType]
    ]
    steps += [torch.full_like(steps[0], padding_value)] * (total_length - len(sizes))
    out = torch.stack(steps)
    lengths = torch.tensor([sum(n > b for n in sizes) for b in range(batch)])
    return out.transpose(0, 1) if batch_first else out, lengths
