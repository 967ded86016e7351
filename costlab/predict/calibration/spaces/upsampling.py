"""Spaces of kernels that make a grid larger."""

from __future__ import annotations

from ...kernels import Interpolation, Kernel, TransposedConvolution
from .draw import Draw


def transposed_convolution(index: int) -> Kernel:
    """Mostly of kernels of 2 and 4 that double the grid, as decoders have them."""
    draw = Draw(index)
    side, grid = draw.of(2, 2, 3, 4, 4, 5), draw.size(4, 128)
    inner, outer = draw.size(8, 1024, 8), draw.size(8, 512, 8)
    batch, stride = draw.of(1, 1, 2, 8), draw.of(1, 2, 2, 2, 4)
    stride = min(stride, side)
    padding, more = (side - stride + 1) // 2, (side - stride) % 2 if stride > 1 else 0
    return TransposedConvolution(
        batch=batch,
        channels_in=inner,
        channels_out=outer,
        height=grid,
        width=grid,
        kernel_height=side,
        kernel_width=side,
        stride_height=stride,
        stride_width=stride,
        padding_height=padding,
        padding_width=padding,
        output_padding_height=more,
        output_padding_width=more,
        bias=index % 2 == 0,
    )


def interpolation(index: int) -> Kernel:
    """Of square grids, mostly to twice their size; some to half of it."""
    draw = Draw(index)
    kind, grid = draw.of("nearest", "linear", "linear", "cubic"), draw.size(4, 128)
    channels, batch, times = draw.size(1, 1024), draw.of(1, 1, 8), draw.of(2, 2, 2, 4, 8, 0.5)
    out = max(1, int(grid * times))
    return Interpolation(
        kind,
        batch=batch,
        channels=channels,
        height=grid,
        width=grid,
        out_height=out,
        out_width=out,
    )
