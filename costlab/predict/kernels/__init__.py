"""What operations run on a device: kernels of a few families, each with its sizes."""

from .families import FAMILIES
from .images import Normalization, Pooling, Reduction
from .kernel import Kernel
from .moving import Concatenation, Copy, Elementwise, Softmax
from .multiplying import Attention, Convolution, DepthwiseConvolution, Product
from .sequences import Lookup, Recurrent
from .trace_kernels import OpKernel, kernels_of
from .upsampling import Interpolation, TransposedConvolution
from .volumes import VolumeConvolution

__all__ = [
    "FAMILIES",
    "Attention",
    "Concatenation",
    "Convolution",
    "Copy",
    "DepthwiseConvolution",
    "Elementwise",
    "Interpolation",
    "Kernel",
    "Lookup",
    "Normalization",
    "OpKernel",
    "Pooling",
    "Product",
    "Recurrent",
    "Reduction",
    "Softmax",
    "TransposedConvolution",
    "VolumeConvolution",
    "kernels_of",
]
