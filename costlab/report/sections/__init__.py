"""The sections of a report, a file each. Numbers come from traces; published figures are called
so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..context import Context
from ..pieces import Block
from .audit import audits
from .bottleneck import reduced_modules
from .change import changes
from .comparison import comparison
from .conventions import conventions
from .cost import cost
from .diagrams import diagrams
from .error import errors
from .factorization import factorization
from .grid_reduction import grid_reduction
from .measurements import measurements
from .opportunities import opportunities
from .summary import summary
from .tables import tables


@dataclass(frozen=True)
class SectionKind:
    """A section's title, what makes its parts, and whether every report has it by default."""

    title: str
    make: Callable[[Context], Sequence[Block]]
    default: bool = True


def introduction(c: Context) -> list[Block]:
    """Nothing but the report's own note."""
    return []


SECTIONS = {
    "introduction": SectionKind("Introduction", introduction, default=False),
    "summary": SectionKind("Summary", summary),
    "change": SectionKind("What changed", changes, default=False),
    "table": SectionKind("The network's table", tables),
    "cost": SectionKind("Where the cost goes", cost),
    "diagram": SectionKind("Block diagrams", diagrams),
    "opportunities": SectionKind("What could be saved", opportunities),
    "audit": SectionKind("Published figures, audited", audits),
    "comparison": SectionKind("Comparison", comparison, default=False),
    "factorization": SectionKind("Factorized convolutions", factorization, default=False),
    "grid-reduction": SectionKind("Grid reduction", grid_reduction, default=False),
    "bottleneck": SectionKind("Naive and reduced modules", reduced_modules, default=False),
    "error": SectionKind("Cost against error", errors, default=False),
    "measurements": SectionKind("Time, memory and roofline", measurements),
    "conventions": SectionKind("Conventions and provenance", conventions),
}
