"""Cost against published error."""

from __future__ import annotations

from ...analysis.pareto import pareto
from ...cost import short
from ...render import charts
from ...render.document import Grid
from ..context import Context
from ..pieces import Block, chart


def errors(c: Context) -> list[Block]:
    """A chart and a table."""
    found = pareto()
    spoken = "; ".join(f"{p.name} {short(p.macs)}, {p.top5}%" for p in found.points)
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
