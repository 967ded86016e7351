"""Which dimension of each tensor of a trace is batch, channel, grid or tokens, as operations move
them.

A dimension is a product of factors, each a part of an axis: a view that merges height and width
makes one dimension of two factors, windows of 7 split an axis of 56 into 8 (step 7) and 7 (step 1),
and the view back makes it one again. What an axis is follows from the operations that read it (a
convolution reads batch, channel, grid) and, where none says, from the input's rank; otherwise it is
"unknown"."""

from .layouts import Layouts, layouts
from .record import BATCH, CHANNEL, GRID, PLACES, TOKENS, UNKNOWN, Dim, Factor, Layout

__all__ = [
    "BATCH",
    "CHANNEL",
    "GRID",
    "PLACES",
    "TOKENS",
    "UNKNOWN",
    "Dim",
    "Factor",
    "Layout",
    "Layouts",
    "layouts",
]
