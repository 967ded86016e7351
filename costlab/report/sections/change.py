"""What a review is about: base against head."""

from __future__ import annotations

from collections import Counter

from ...analysis.change import Change
from ...analysis.diagram import compared
from ...render.document import Grid, Picture, Text
from ..context import Context
from ..pieces import Block, drawn_together
from ..waterfall import waterfall


def changes(c: Context) -> list[Block]:
    """A waterfall of MACs and the blocks that differ."""
    result = c.change
    if result is None:
        return [Text("No base and head were given; see costlab report --base A --head B.")]
    base, head = result.names
    if not result.differing:
        return [Text(f"Every block of {head} equals its counterpart in {base}.")]
    caption = f"Blocks that differ between {base} and {head}"
    return [
        *waterfall(result, "waterfall"),
        Grid(result.brief, caption, "changes"),
        _blocks(result),
    ]


def _blocks(result: Change) -> Picture:
    """Base and head as blocks, on one scale."""
    pair = compared(result.traces.base, result.traces.head, words=("before", "after"))
    base, head = result.names
    counts = Counter(b.mark for d in pair for b in d.boxes if b.mark)
    said = ", ".join(f"{n} {mark}" for mark, n in counts.items())
    return drawn_together(
        pair,
        f"Block diagrams of {base} and {head}; boxes marked: {said}",
        id="versions",
        caption=f"{base} and {head} as blocks on one scale; what is not the same in both is marked",
    )
