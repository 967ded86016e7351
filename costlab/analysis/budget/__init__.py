"""Limits that must hold of a model, and the blocks behind those that do not.

`run` judges the limits and raises, `blocks` finds where a figure comes from and where it grew,
`notes` says it in English.
"""

from .blocks import Behind, BlockFigure, blocks_behind, most_first
from .notes import listing
from .run import require

__all__ = ["Behind", "BlockFigure", "blocks_behind", "listing", "most_first", "require"]
