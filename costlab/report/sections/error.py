"""Cost against published error."""

from __future__ import annotations

from ...analysis.pareto import Point, pareto
from ...cost import short
from ...render import charts
from ...render.document import Grid
from ..context import Context
from ..pieces import Block, chart


def errors(c: Context) -> list[Block]:
    """A chart and a table."""
    found = pareto()
    spoken = "; ".join(map(_spoken, found.points))
    return [
        chart(
            charts.pareto,
            found,
            id="pareto",
            caption="MACs from traces against published top-5 error",
            alt=f"Scatter of MACs and published top-5 error: {spoken}",
        ),
        Grid(found.sheet, "Cost and published error", "errors"),
    ]


def _spoken(point: Point) -> str:
    """A point in words, with why it is not comparable."""
    why_not = f" (not compared: {point.why_not})" if point.why_not else ""
    return f"{point.name} {short(point.macs)}, {point.top5}%{why_not}"
