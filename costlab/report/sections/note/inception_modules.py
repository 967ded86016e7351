"""Inception modules, naive and with reductions."""

from __future__ import annotations

from ....analysis.bottleneck import bottleneck
from ....analysis.diagram import modules
from ...context import Context
from ...pieces import Block, drawn_together
from ..bottleneck import reduced_modules


def inception_modules(c: Context) -> list[Block]:
    """The first module drawn both ways, then what the 1x1 reductions save in each."""
    diagrams = modules(bottleneck().drawings)
    return [
        drawn_together(
            diagrams,
            "; ".join(f"{d.title}: {d.alt}" for d in diagrams),
            id="naive-and-reduced",
            caption="Figure 2 of Going Deeper, traced: the first module, naive and with 1x1 "
            "reductions",
        ),
        *reduced_modules(c),
    ]
