"""What the papers' drawings show, from traces: mini-networks over pixels, mlpconv beside a linear
convolution, 1x1 convolutions between maps, and networks to scale."""

from .fields import Chain, Fields, Layer, fields, kernels_of
from .mixing import Mixing, mixing
from .mlpconv import Neurons, mlpconv
from .towers import Level, Tower, Towers, towers

__all__ = [
    "Chain",
    "Fields",
    "Layer",
    "Level",
    "Mixing",
    "Neurons",
    "Tower",
    "Towers",
    "fields",
    "kernels_of",
    "mixing",
    "mlpconv",
    "towers",
]
