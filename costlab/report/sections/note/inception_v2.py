"""Inception-v2: its table, its cost and the published results."""

from __future__ import annotations

from ....analysis.audit import audit_published
from ....analysis.compare import compare
from ....analysis.diagram import diagram
from ....analysis.results import results
from ....reference.printed import tables_of
from ....render.document import Grid
from ....tables import table
from ...context import Context
from ...pieces import Block, drawn
from .pictures import printed

_MODEL = "inception_v2"
_PAPERS = ("Going Deeper", "Rethinking")


def inception_v2(c: Context) -> list[Block]:
    """The network as blocks and as a table beside the printed one; GoogLeNet beside it; errors."""
    trace = c.find(_MODEL)
    return [
        drawn(
            diagram(trace),
            id="v2-blocks",
            caption="Inception-v2 as blocks; bars are shares of all its MACs",
            network=True,
        ),
        Grid(
            table(trace, "paper", "paper").sheet,
            "Inception-v2 in the format of GoogLeNet's Table 1",
            "v2",
        ),
        *(printed(paper, "v2-printed") for paper in tables_of(_MODEL)),
        Grid(audit_published(trace, c.find).sheet, "Inception-v2 against its paper", "v2-audit"),
        Grid(
            compare([trace, c.find("googlenet")]).sheet,
            "Inception-v2 and GoogLeNet, then stage by stage on grids of the same stride",
            "v2-compared",
        ),
        *_published(),
    ]


def _published() -> list[Grid]:
    return [
        Grid(results(paper=paper).sheet, f"Results that {paper} prints", f"results-{i}")
        for i, paper in enumerate(_PAPERS, 1)
    ]
