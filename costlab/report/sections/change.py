"""What a review is about: base against head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...analysis.change import Change, Step
from ...analysis.diagram import compared
from ...render import charts
from ...render.document import Grid, Picture, Text
from ..context import Context
from ..pieces import Block, chart, drawn_together


def changes(c: Context) -> list[Block]:
    """A waterfall of MACs and the blocks that differ."""
    result = c.change
    if result is None:
        return [Text("No base and head were given; see costlab report --base A --head B.")]
    if all(s.what == "equal" for s in result.steps):
        return [Text(f"Every block of {result.head} equals its counterpart in {result.base}.")]
    moved = [s for s in result.steps if s.macs[0] != s.macs[1]]
    caption = f"Blocks that differ between {result.base} and {result.head}"
    return [
        *_waterfall(result, moved),
        Grid(result.brief, caption, "changes"),
        _blocks(result),
    ]


def _blocks(result: Change) -> Picture:
    """Base and head as blocks, on one scale."""
    pair = compared(result.traces.base, result.traces.head, words=("before", "after"))
    counts = Counter(b.mark for d in pair for b in d.boxes if b.mark)
    said = ", ".join(f"{n} {mark}" for mark, n in counts.items())
    return drawn_together(
        pair,
        f"Block diagrams of {result.base} and {result.head}; boxes marked: {said}",
        id="versions",
        caption=f"{result.base} and {result.head} as blocks on one scale; what is not the same in "
        "both is marked",
    )


def _waterfall(result: Change, moved: Sequence[Step]) -> list[Picture]:
    if not moved:
        return []
    times = " and predicted time" if result.time else ""
    spoken = "; ".join(f"{s.name} {s.macs[1] - s.macs[0]:+,}" for s in moved)
    return [
        chart(
            charts.waterfall,
            result,
            id="waterfall",
            caption=f"MACs{times} from base to head, block by block",
            alt=f"Waterfall chart of the change in MACs: {spoken}",
        )
    ]
