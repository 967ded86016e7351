"""The families of kernels by name, as files and models of times have them."""

from __future__ import annotations

from .images import Normalization, Pooling, Reduction
from .kernel import Kernel
from .moving import Concatenation, Copy, Elementwise, Softmax
from .multiplying import Attention, Convolution, DepthwiseConvolution, Product
from .sequences import Lookup, Recurrent
from .upsampling import Interpolation, TransposedConvolution
from .volumes import VolumeConvolution

FAMILIES: dict[str, type[Kernel]] = {
    kind.family: kind
    for kind in (
        Convolution,
        DepthwiseConvolution,
        Product,
        Normalization,
        Pooling,
        Reduction,
        Elementwise,
        Softmax,
        Concatenation,
        Copy,
        Attention,
        TransposedConvolution,
        VolumeConvolution,
        Interpolation,
        Recurrent,
        Lookup,
    )
}
