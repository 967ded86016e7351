"""How to shrink a grid."""

from __future__ import annotations

from ...context import Context
from ...pieces import Block
from ..grid_reduction import grid_reduction
from .paper_modules import reduction_module


def smaller_grids(c: Context) -> list[Block]:
    """Figures 9 and 10 of *Rethinking*, counted and drawn."""
    return [
        *grid_reduction(c),
        *reduction_module(c),
    ]
