"""Rules of work by element, normalizations, concatenation and means."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .registry import empty, new, rule


@rule(
    *(
        f"aten.{n}.default"
        for n in [
            "relu",
            "gelu",
            "silu",
            "sigmoid",
            "tanh",
            "hardtanh",
            "hardswish",
            "hardsigmoid",
            "leaky_relu",
            "elu",
            "_softmax",
            "exp",
            "rsqrt",
            "neg",
            "cos",
            "sin",
            "sqrt",
            "abs",
        ]
    ),
    "aten._softmax.default",
    "aten.pow.Tensor_Scalar",
)
def _same(x: Tensor, *args: object, **kwargs: object) -> Tensor | None:
    half_to_float = len(args) == 2 and args[1] is True
    return new(x) if x.is_floating_point() and x.is_contiguous() and not half_to_float else None


@rule(
    *(
        f"aten.{n}_.default"
        for n in ["relu", "hardtanh", "hardswish", "silu", "leaky_relu", "elu", "sigmoid"]
    )
)
def _in_place(x: Tensor, *args: object, **kwargs: object) -> Tensor:
    return x


@rule(
    "aten.add.Tensor",
    "aten.mul.Tensor",
    "aten.sub.Tensor",
    "aten.div.Tensor",
    "aten.add.Scalar",
    "aten.mul.Scalar",
    "aten.div.Scalar",
    "aten.sub.Scalar",
)
def _binary(a: Tensor, b: object, **kwargs: object) -> Tensor | None:
    if not a.is_floating_point() or not a.is_contiguous():
        return None
    if not isinstance(b, Tensor):
        return new(a) if isinstance(b, (int, float)) else None
    if a.shape == b.shape and a.dtype == b.dtype and b.is_contiguous():
        return new(a)
    return None


@rule("aten.add_.Tensor", "aten.mul_.Tensor")
def _binary_in_place(a: Tensor, b: object, **kwargs: object) -> Tensor | None:
    alike = not isinstance(b, Tensor) or a.shape == b.shape and a.dtype == b.dtype
    return a if alike else None


@rule("aten.cat.default")
def _cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor | None:
    first = tensors[0]
    if not first.is_floating_point():
        return None  # its values may be needed
    dim %= first.dim()
    if not all(_joins(t, first, dim) for t in tensors):
        return None
    shape = list(first.shape)
    shape[dim] = sum(t.shape[dim] for t in tensors)
    return empty(shape, dtype=first.dtype, device="meta")


def _joins(t: Tensor, first: Tensor, dim: int) -> bool:
    """Whether a tensor has the sizes of the first in every dimension but `dim`."""
    if t.dim() != first.dim() or t.dtype != first.dtype or not t.is_contiguous():
        return False
    sizes = enumerate(zip(t.shape, first.shape, strict=True))
    return all(a == b for i, (a, b) in sizes if i != dim)


@rule("aten.mean.dim")
def _mean(
    x: Tensor, dim: Sequence[int] | None, keepdim: bool = False, **kwargs: object
) -> Tensor | None:
    if kwargs or not x.is_floating_point() or not dim or not x.is_contiguous():
        return None
    gone = {d % x.dim() for d in dim}
    shape = [1 if i in gone else s for i, s in enumerate(x.shape) if keepdim or i not in gone]
    return empty(shape, dtype=x.dtype, device="meta")


@rule("aten.native_batch_norm.default")
def _batch_norm(  # noqa: PLR0917  the schema of the operation
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor | None,
    var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Tensor, ...] | None:
    if training or not x.is_contiguous():
        return None
    mean, rstd = (empty((0,), dtype=x.dtype, device="meta") for _ in range(2))
    return new(x), mean, rstd


@rule("aten.native_layer_norm.default")
def _layer_norm(
    x: Tensor, shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, ...] | None:
    if (
        not x.is_contiguous()
        or x.dtype not in (torch.float32, torch.float64)
        or tuple(x.shape[-len(shape) :]) != tuple(shape)
    ):
        return None
    kept = (*x.shape[: -len(shape)], *([1] * len(shape)))
    mean, rstd = (empty(kept, dtype=x.dtype, device="meta") for _ in range(2))
    return new(x), mean, rstd
