"""What a review is about: base against head."""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.change import Change, Step
from ...render import charts
from ...render.document import Grid, Picture, Text
from ..context import Context
from ..pieces import Block, chart


def changes(c: Context) -> list[Block]:
    """A waterfall of MACs and the blocks that differ."""
    result = c.change
    if result is None:
        return [Text("No base and head were given; see costlab report --base A --head B.")]
    if all(s.what == "equal" for s in result.steps):
        return [Text(f"Every block of {result.head} equals its counterpart in {result.base}.")]
    moved = [s for s in result.steps if s.macs[0] != s.macs[1]]
    caption = f"Blocks that differ between {result.base} and {result.head}"
    return [*_waterfall(result, moved), Grid(result.sheet, caption, "changes")]


def _waterfall(result: Change, moved: Sequence[Step]) -> list[Picture]:
    if not moved:
        return []
    spoken = "; ".join(f"{s.name} {s.macs[1] - s.macs[0]:+,}" for s in moved)
    return [
        chart(
            charts.waterfall,
            result,
            id="waterfall",
            caption="MACs from base to head, block by block",
            alt=f"Waterfall chart of the change in MACs: {spoken}",
        )
    ]
