"""The spaces by the name of their family."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...kernels import (
    Attention,
    Concatenation,
    Convolution,
    Copy,
    DepthwiseConvolution,
    Elementwise,
    Interpolation,
    Kernel,
    Lookup,
    Normalization,
    Pooling,
    Product,
    Recurrent,
    Reduction,
    Softmax,
    TransposedConvolution,
    VolumeConvolution,
)
from .images import normalization, pooling, reduction
from .moving import concatenation, copy, elementwise, softmax
from .multiplying import attention, convolution, depthwise_convolution, product
from .sequences import lookup, recurrent
from .upsampling import interpolation, transposed_convolution
from .volumes import volume_convolution

# the kernel of a family that has a number
SPACES: dict[str, Callable[[int], Kernel]] = {
    Convolution.family: convolution,
    DepthwiseConvolution.family: depthwise_convolution,
    Product.family: product,
    Normalization.family: normalization,
    Pooling.family: pooling,
    Reduction.family: reduction,
    Elementwise.family: elementwise,
    Softmax.family: softmax,
    Concatenation.family: concatenation,
    Copy.family: copy,
    Attention.family: attention,
    TransposedConvolution.family: transposed_convolution,
    VolumeConvolution.family: volume_convolution,
    Interpolation.family: interpolation,
    Recurrent.family: recurrent,
    Lookup.family: lookup,
}


def spread(family: str) -> Iterator[Kernel]:
    """Kernels of a family without end, evenly over its sizes."""
    index = 0
    while True:
        yield SPACES[family](index)
        index += 1
