"""What the papers' drawings show, from traces: mini-networks over pixels, mlpconv beside a linear
convolution, 1x1 convolutions between maps, networks to scale, and where activations saturate."""

from .fields import Chain, Fields, Kernel, Layer, fields, kernels_of
from .mixing import Mixing, mixing
from .mlpconv import Neurons, mlpconv
from .saturation import Curve, Saturation, output_gradient, saturation, slope
from .towers import Level, Tower, Towers, towers

__all__ = [
    "Chain",
    "Curve",
    "Fields",
    "Kernel",
    "Layer",
    "Level",
    "Mixing",
    "Neurons",
    "Saturation",
    "Tower",
    "Towers",
    "fields",
    "kernels_of",
    "mixing",
    "mlpconv",
    "output_gradient",
    "saturation",
    "slope",
    "towers",
]
