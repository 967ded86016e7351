"""Spaces of kernels over the positions of images and tokens."""

from __future__ import annotations

from ...kernels import Kernel, Normalization, Pooling, Reduction
from .draw import Draw

_GROUPS = 32  # of a group normalization


def normalization(index: int) -> Kernel:
    """Every other one of tokens, the rest of images: one in seven of these in groups."""
    draw = Draw(index)
    if index % 2:
        return Normalization(
            "layer",
            outer=draw.size(1, 65536),
            channels=draw.size(32, 2048, 8),
            inner=1,
            strided=draw.unit() < 0.25,
        )
    batch, channels, grid = draw.of(1, 1, 8, 32), draw.size(16, 2048, 8), draw.size(1, 150)
    grouped = draw.unit() < 0.15 and channels % _GROUPS == 0
    return Normalization(
        "group" if grouped else "batch",
        outer=batch,
        channels=channels,
        inner=grid * grid,
        groups=_GROUPS if grouped else 1,
    )


def pooling(index: int) -> Kernel:
    """One in seven over channels, a third of the rest averages."""
    draw = Draw(index)
    side, stride, grid = draw.of(2, 3, 3, 3), draw.of(1, 2, 2), draw.size(7, 150)
    batch, channels = draw.of(1, 1, 8, 32), draw.size(16, 1024, 8)
    if index % 7 == 6:
        return Pooling(
            "across",
            batch=min(batch, 8),
            channels=channels,
            height=grid,
            width=grid,
            kernel_height=5,
            kernel_width=1,
            stride_height=1,
            stride_width=1,
        )
    padding = side // 2 if stride == 1 or index % 2 else 0
    return Pooling(
        "max" if index % 3 else "average",
        batch=batch,
        channels=channels,
        height=grid,
        width=grid,
        kernel_height=side,
        kernel_width=side,
        stride_height=stride,
        stride_width=stride,
        padding_height=padding,
        padding_width=padding,
    )


def reduction(index: int) -> Kernel:
    """Every other one over what is next to one another, the rest over what lies apart."""
    draw = Draw(index)
    if index % 2:
        return Reduction(
            outer=draw.size(1, 32), reduced=draw.size(16, 4096), inner=draw.size(32, 2048)
        )
    return Reduction(outer=draw.size(16, 65536), reduced=draw.size(16, 4096))
