"""How an operation moves and mixes positions: one rule an operation, read by the layout and the
receptive field alike.

A rule takes a `Case` and returns a `Plan`: for each tensor that the output depends on, the moves
that bring it to the output's shape. An operation without a rule has no plan, and what depends on
positions after it is unknown."""

from . import (  # each registers its rules
    joining as joining,
    normalization as normalization,
    pointwise as pointwise,
    products as products,
    reductions as reductions,
    resampling as resampling,
    selection as selection,
    views as views,
    windows as windows,
)
from .record import (
    NOWHERE,
    Everything,
    Insert,
    Mix,
    Move,
    Operand,
    Permute,
    Plan,
    Positions,
    Reduce,
    Reshape,
    Scatter,
    Shape,
    Windows,
)
from .registry import MOST, ints, plan

__all__ = [
    "MOST",
    "NOWHERE",
    "Everything",
    "Insert",
    "Mix",
    "Move",
    "Operand",
    "Permute",
    "Plan",
    "Positions",
    "Reduce",
    "Reshape",
    "Scatter",
    "Shape",
    "Windows",
    "ints",
    "plan",
]
