"""The diagrams that an HTML report shows when a block of its network is opened."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.diagram import Diagram, with_open_block
from ..render.document import OpenBlock
from ..tables import Row
from ..trace import Trace
from .links import Links, box_links
from .pieces import on_screen

# of all pictures of one network, which each draw all of it; the blocks after that stay closed
LIMIT = 1_500_000  # characters
_MOST_OPS = 300_000  # operations


def open_blocks(trace: Trace, closed: Diagram, rows: Sequence[Row]) -> list[OpenBlock]:
    """One picture for each block of a network's diagram, as many as the limits allow. `rows`: of
    the table that the boxes are linked to; none for no links."""
    found: list[OpenBlock] = []
    taken = 0
    blocks = [box for box in closed.boxes if box.kind == "block"]
    for box in blocks[: _MOST_OPS // max(1, len(trace.forward))]:
        opened = with_open_block(trace, box, closed.convention)
        picture = on_screen(opened)
        taken += len(picture)
        if taken > LIMIT:
            break
        frame: Links = {f"open/{i}": ids for i, ids in box_links(trace, rows, [box]).items()}
        found.append(OpenBlock(box.id, picture, {**box_links(trace, rows, opened.boxes), **frame}))
    return found
