"""The space of 3-D convolutions."""

from __future__ import annotations

from ...kernels import Kernel, VolumeConvolution
from .draw import Draw

# (depth, height and width) of filters: 3x3x3, and its factors 1x3x3 and 3x1x1, as networks for
# videos have them
_FILTERS = ((3, 3), (3, 3), (1, 3), (3, 1), (1, 1), (5, 5), (7, 7))


def volume_convolution(index: int) -> Kernel:
    """One in six depthwise."""
    draw = Draw(index)
    deep, side = draw.of(*_FILTERS)
    grid, frames = draw.size(4, 64), draw.size(4, 32)
    inner, outer = draw.size(8, 512, 8), draw.size(8, 512, 8)
    batch, stride = draw.of(1, 1, 2, 4), draw.of(1, 1, 2)
    depthwise = index % 6 == 5
    return VolumeConvolution(
        batch=batch,
        channels_in=inner,
        channels_out=inner if depthwise else outer,
        depth=frames,
        height=grid,
        width=grid,
        kernel_depth=deep,
        kernel_height=side,
        kernel_width=side,
        stride_depth=stride if deep > 1 else 1,
        stride_height=stride,
        stride_width=stride,
        padding_depth=deep // 2,
        padding_height=side // 2,
        padding_width=side // 2,
        groups=inner if depthwise else 1,
        bias=index % 2 == 0,
    )
