"""Naive against reduced Inception modules."""

from __future__ import annotations

from ...analysis.bottleneck import bottleneck
from ...cost import short
from ...render import charts
from ...render.document import Grid
from ..context import Context
from ..pieces import Block, chart


def reduced_modules(c: Context) -> list[Block]:
    """What 1x1 reductions save, module by module."""
    found = bottleneck()
    spoken = "; ".join(
        f"{p.name} {short(p.naive.macs)} naive, {short(p.reduced.macs)} reduced"
        for p in found.pairs
    )
    return [
        Grid(found.sheet, "Naive against reduced Inception modules", "bottleneck"),
        chart(
            charts.bottleneck,
            found,
            id="bottleneck-chart",
            caption="MACs of naive and reduced modules",
            alt=f"Paired bars: {spoken}",
        ),
    ]
