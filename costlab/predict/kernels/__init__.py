"""What operations run on a device: kernels of a few families, each with its sizes."""

from .families import FAMILIES
from .images import Normalization, Pooling, Reduction
from .kernel import Kernel
from .moving import Concatenation, Copy, Elementwise, Softmax
from .multiplying import Attention, Convolution, DepthwiseConvolution, Product
from .trace_kernels import OpKernel, kernels_of

__all__ = [
    "FAMILIES",
    "Attention",
    "Concatenation",
    "Convolution",
    "Copy",
    "DepthwiseConvolution",
    "Elementwise",
    "Kernel",
    "Normalization",
    "OpKernel",
    "Pooling",
    "Product",
    "Reduction",
    "Softmax",
    "kernels_of",
]
