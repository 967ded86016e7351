"""The diagrams that an HTML report shows when a block of its network is opened."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.diagram import Diagram, with_open_block
from ..render.document import OpenBlock
from ..tables import Row
from ..trace import Trace
from .links import Links, box_links
from .pieces import on_screen

LIMIT = 1_500_000  # characters of all pictures of one network; the blocks after that stay closed


def open_blocks(trace: Trace, closed: Diagram, rows: Sequence[Row]) -> list[OpenBlock]:
    """One picture for each block of a network's diagram, as many as `LIMIT` allows. `rows`: of the
    table that the boxes are linked to; none for no links."""
    found: list[OpenBlock] = []
    taken = 0
    for box in closed.boxes:
        if box.kind != "block":
            continue
        opened = with_open_block(trace, box, closed.convention)
        picture = on_screen(opened)
        taken += len(picture)
        if taken > LIMIT:
            break
        frame: Links = {f"open/{i}": ids for i, ids in box_links(trace, rows, [box]).items()}
        found.append(OpenBlock(box.id, picture, {**box_links(trace, rows, opened.boxes), **frame}))
    return found
