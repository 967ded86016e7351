"""How an operation moves and mixes positions: one rule an operation, read by the layout and the
receptive field alike.

A rule takes a `Case` and returns a `Plan`: for each tensor that the output depends on, the moves
that bring it to the output's shape. An operation without a rule has no plan, and what depends on
positions after it is unknown."""

from . import (  # noqa: F401  each registers its rules
    joining,
    normalization,
    pointwise,
    products,
    reductions,
    resampling,
    selection,
    views,
    windows,
)
from .record import (
    NOWHERE,
    Everything,
    Insert,
    Mix,
    Operand,
    Permute,
    Plan,
    Reduce,
    Reshape,
    Scatter,
    Windows,
)
from .registry import ints, plan

__all__ = [
    "NOWHERE",
    "Everything",
    "Insert",
    "Mix",
    "Operand",
    "Permute",
    "Plan",
    "Reduce",
    "Reshape",
    "Scatter",
    "Windows",
    "ints",
    "plan",
]
