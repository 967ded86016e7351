"""Spaces of kernels that multiply and add."""

from __future__ import annotations

from ...kernels import Attention, Convolution, DepthwiseConvolution, Kernel, Product
from .draw import Draw

# (height, width) of filters, those that networks have most often more than once
_FILTERS = tuple(
    size
    for size, times in {
        (1, 1): 6,
        (3, 3): 6,
        (5, 5): 2,
        (7, 7): 1,
        (1, 7): 1,
        (7, 1): 1,
        (1, 3): 1,
        (3, 1): 1,
        (1, 5): 1,
        (5, 1): 1,
        (2, 2): 1,
        (4, 4): 1,
        (9, 9): 1,
        (11, 11): 1,
        (13, 13): 1,
        (15, 15): 1,
        (21, 21): 1,
        (31, 31): 1,
        (1, 9): 1,
        (9, 1): 1,
        (1, 15): 1,
        (15, 1): 1,
        (1, 31): 1,
        (31, 1): 1,
    }.items()
    for _ in range(times)
)


def convolution(index: int) -> Kernel:
    """The larger the grid, the fewer channels; one in three with a bias."""
    draw = Draw(index)
    height, width = draw.of(*_FILTERS)
    grid = draw.size(5, 160)
    most = 1024 if grid > 64 else 4096
    inner, outer = draw.size(8, most, 8), draw.size(8, most, 8)
    batch = draw.of(1, 1, 2, 4, 8, 16, 32)
    stride, groups = draw.of(1, 1, 1, 2), draw.of(1, 1, 1, 1, 1, 2, 4, 8, 32)
    if inner % groups or outer % groups or inner == groups:
        groups = 1
    return Convolution(
        batch=batch,
        channels_in=inner,
        channels_out=outer,
        height=grid,
        width=grid,
        kernel_height=height,
        kernel_width=width,
        stride_height=stride,
        stride_width=stride,
        padding_height=height // 2,
        padding_width=width // 2,
        groups=groups,
        bias=index % 3 == 0,
    )


def depthwise_convolution(index: int) -> Kernel:
    """Square filters, 3x3 the most; one in three with a bias."""
    draw = Draw(index)
    side, grid = draw.of(3, 3, 3, 3, 5, 5, 5, 7, 7, 9, 13, 31), draw.size(5, 130)
    channels, batch, stride = draw.size(16, 1536, 8), draw.of(1, 1, 4, 8, 32), draw.of(1, 1, 1, 2)
    return DepthwiseConvolution(
        batch=batch,
        channels_in=channels,
        channels_out=channels,
        height=grid,
        width=grid,
        kernel_height=side,
        kernel_width=side,
        stride_height=stride,
        stride_width=stride,
        padding_height=side // 2,
        padding_width=side // 2,
        groups=channels,
        bias=index % 3 == 0,
    )


def product(index: int) -> Kernel:
    """One in three of two activations in a batch, as in attention; the rest with weights."""
    draw = Draw(index)
    if index % 3 == 2:
        return Product(
            batch=draw.size(2, 512),
            rows=draw.size(16, 512),
            columns=draw.size(16, 512, 8),
            inner=draw.of(16, 32, 64, 64, 128),
            weighted=False,
        )
    return Product(
        batch=1,
        rows=draw.size(1, 32768),
        columns=draw.size(16, 8192, 8),
        inner=draw.size(16, 8192, 8),
        bias=index % 3 == 0,
    )


def attention(index: int) -> Kernel:
    """Mostly of a sequence to itself; one in five masked."""
    draw = Draw(index)
    queries, heads, batch = draw.size(16, 1024), draw.of(3, 6, 8, 12, 16), draw.of(1, 1, 8, 32)
    keys = queries if index % 4 else draw.size(16, 1024)
    return Attention(
        batch=batch,
        heads=heads,
        queries=queries,
        keys=keys,
        width=draw.of(32, 64, 64, 128),
        masked=index % 5 == 4,
    )
