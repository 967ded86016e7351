"""Rules of convolutions and pools, which move a window over a grid."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .registry import empty, like, per_dimension, rule

_Sizes = Sequence[int]


@rule("aten.convolution.default")
def _convolution(  # noqa: PLR0917  the schema of the operation
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: _Sizes,
    padding: _Sizes,
    dilation: _Sizes,
    transposed: bool,
    output_padding: _Sizes,
    groups: int,
) -> Tensor | None:
    n = weight.dim() - 2
    if (
        transposed
        or x.dim() != n + 2
        or x.shape[1] != weight.shape[1] * groups
        or x.dtype != weight.dtype
        or 0 in x.shape
    ):
        return None
    out = tuple(
        (i + 2 * p - d * (k - 1) - 1) // s + 1
        for i, k, s, p, d in zip(
            x.shape[2:],
            weight.shape[2:],
            per_dimension(stride, n),
            per_dimension(padding, n),
            per_dimension(dilation, n),
            strict=True,
        )
    )
    if n != 2 or min(out) <= 0 or not (_dense(weight) and _dense(x)):
        return None
    # torch's own kernel for `meta` forgets the layout, which those of devices take from either
    last = any(map(_looks_channels_last, (x, weight)))
    return empty(
        (x.shape[0], weight.shape[0], *out),
        dtype=x.dtype,
        device="meta",
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )


def _looks_channels_last(x: Tensor) -> bool:
    """Whether kernels take a 4-d tensor as channels-last, by its strides alone: those of dimensions
    of one element count too (`is_channels_last_strides_2d_s4` in c10/core/MemoryFormat.h)."""
    least = 0
    for d in (1, 3, 2, 0):
        step = x.stride(d)
        if step < least or step == 0 and d == 1 or d == 0 and least == x.stride(1):
            return False
        least = step * x.shape[d]
    return True


def _dense(x: Tensor) -> bool:
    return x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)


def _pooled(
    x: Tensor,
    n: int,
    kernel: _Sizes,
    *,
    stride: _Sizes,
    padding: _Sizes,
    dilation: _Sizes,
    ceil_mode: bool,
) -> Tensor | None:
    if x.dim() != n + 2 or not x.is_contiguous():
        return None
    kernel, padding, dilation = (
        per_dimension(kernel, n),
        per_dimension(padding, n, 0),
        per_dimension(dilation, n),
    )
    stride = per_dimension(stride, n) if stride else kernel
    out: list[int] = []
    for i, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True):
        if 2 * p > k:
            return None
        span = i + 2 * p - d * (k - 1) - 1
        size = (span + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (size - 1) * s >= i + p:  # a window must begin inside
            size -= 1
        if size < 1:
            return None
        out.append(size)
    return like(x, (*x.shape[:2], *out))


@rule("aten.max_pool2d_with_indices.default")
def _max_pool(
    x: Tensor,
    kernel: _Sizes,
    stride: _Sizes = (),
    padding: _Sizes = (0,),
    dilation: _Sizes = (1,),
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor] | None:
    out = _pooled(
        x, 2, kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    return None if out is None else (out, empty(out.shape, dtype=torch.int64, device="meta"))


@rule("aten.avg_pool2d.default", "aten.avg_pool3d.default")
def _avg_pool(
    x: Tensor,
    kernel: _Sizes,
    stride: _Sizes = (),
    padding: _Sizes = (0,),
    ceil_mode: bool = False,
    *rest: object,
) -> Tensor | None:
    return _pooled(
        x, x.dim() - 2, kernel, stride=stride, padding=padding, dilation=(1,), ceil_mode=ceil_mode
    )
