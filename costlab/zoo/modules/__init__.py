"""The papers' building blocks, public and composable: each can be traced alone.

Shapes: N batch, c channels, H x W grid. Every block is (N, c_in, H, W) -> (N, c_out, H', W') and
has its `c_out`. Names of widths are the columns of the papers' tables: n1 is "#1x1", n3r "#3x3
reduce", n3 "#3x3", proj "pool proj".
"""

from .heads import AuxiliaryHead, FullyConnectedHead
from .inception import (
    DoubleInception,
    ExpandedInception,
    FactorizedInception,
    Inception,
    NaiveInception,
)
from .layers import Concat, Conv, InceptionModule, MlpConv, SeparableConv
from .reduction import ConvThenPool, ParallelReduction, PoolThenConv, ReductionA, ReductionB

__all__ = [
    "AuxiliaryHead",
    "Concat",
    "Conv",
    "ConvThenPool",
    "DoubleInception",
    "ExpandedInception",
    "FactorizedInception",
    "FullyConnectedHead",
    "Inception",
    "InceptionModule",
    "MlpConv",
    "NaiveInception",
    "ParallelReduction",
    "PoolThenConv",
    "ReductionA",
    "ReductionB",
    "SeparableConv",
]
