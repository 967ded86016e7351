"""Several models side by side."""

from __future__ import annotations

from ...analysis.compare import compare
from ...render.document import Grid, Text
from ..context import Context
from ..pieces import Block, cited


def comparison(c: Context) -> list[Block]:
    """What sets the models apart in words, and a table."""
    if len(c.traces) < 2:
        return [Text("The report is about one model; name several to compare them.")]
    result = compare(c.traces)
    return [
        cited(". ".join(result.sentences), "compared"),
        Grid(
            result.sheet,
            "Totals, then stage by stage where the networks work on grids of the same stride",
            "compared",
        ),
    ]
