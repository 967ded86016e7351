"""The sizes of the grid beside the spine of a network, where the grid changes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...analysis.diagram import Box, Diagram
from .geometry import GridSize, Piece
from .labels import shows_size
from .measure import width
from .metrics import Metrics

_ON_A_GRID = ("input", "conv", "transposed conv", "cat")
_KEEPS = "join"  # has a grid where what it follows has one
_SPACE = 3.0  # points between a size and the part that it is beside
_SIZE = re.compile(r"(\d+x\d+)x\d+")  # height, width and channels


def _has_grid(box: Box) -> bool:
    """Whether height and width of the output are a grid, not windows or tokens."""
    return box.kind in _ON_A_GRID or box.kind.endswith("pool")


def grid_sizes(d: Diagram, pieces: Sequence[Piece]) -> list[str]:
    """Beside each part of a chain "56x56" where its output has another grid than that of the part
    before it, and its box does not say so itself; "" elsewhere, beside branches, which what they
    meet in follows, and beside layers on tokens."""
    boxes = {b.id: b for b in d.boxes}
    found: list[str] = []
    before = ""
    for piece in pieces:
        end = boxes[piece.exits[-1]]
        size = _SIZE.fullmatch(end.size)
        known = _has_grid(end) or (end.kind == _KEEPS and before)
        grid = size[1] if size and known and len(piece.exits) == 1 else before
        found.append("" if grid == before or shows_size(end, d) else grid)
        before = grid
    return found


def with_grid_sizes(
    column: Piece, parts: Sequence[Piece], sizes: Sequence[str], m: Metrics
) -> Piece:
    """A column with the size of each of its parts on the left of the part, level with its end."""
    lefts = [column.axis - part.axis for part in parts]
    needed = [
        width(size, m.font) + _SPACE - left for size, left in zip(sizes, lefts, strict=True) if size
    ]
    if not needed:
        return column
    margin = max(0.0, *needed)
    found = column.moved(margin, 0.0)
    found.width, found.axis = column.width + margin, column.axis + margin
    for part, size, left in zip(parts, sizes, lefts, strict=True):
        if size:
            y = found.rects[part.exits[-1]].cy
            found.grid_sizes.append(GridSize(margin + left - _SPACE, y, size))
    return found
