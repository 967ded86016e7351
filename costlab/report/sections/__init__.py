"""The sections of a report, a file each. Numbers come from traces; published figures are called
so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ...reference.note import topics
from ..context import Context
from ..pieces import Block
from .audit import audits, has_audits
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
from .note import corrections, paper_modules, shown, words
from .opportunities import has_opportunities, opportunities
from .summary import summary
from .tables import tables
from .variants import variant_changes, variant_counts, variant_times


def nothing(c: Context) -> list[Block]:
    """No parts: the report's own note is all."""
    return []


@dataclass(frozen=True)
class SectionKind:
    """A section's title, what makes its parts, and which reports have it when none are named;
    `words`: what opens it where the report has no note for it."""

    title: str
    make: Callable[[Context], Sequence[Block]]
    applies: Callable[[Context], bool] = lambda context: True
    words: Callable[[Context], Sequence[Block]] = nothing


def _never(c: Context) -> bool:
    return False


SECTIONS = {
    "introduction": SectionKind("Introduction", nothing, _never),
    "summary": SectionKind("Summary", summary),
    "change": SectionKind("What changed", changes, lambda c: bool(c.review)),
    "table": SectionKind("The network's table", tables),
    "cost": SectionKind("Where the cost goes", cost),
    "diagram": SectionKind("Block diagrams", diagrams),
    "opportunities": SectionKind("What could be saved", opportunities, has_opportunities),
    "audit": SectionKind("Published figures, audited", audits, has_audits),
    "comparison": SectionKind("Comparison", comparison, lambda c: len(c.traces) > 1),
    "factorization": SectionKind("Factorized convolutions", factorization, _never),
    "grid-reduction": SectionKind("Grid reduction", grid_reduction, _never),
    "bottleneck": SectionKind("Naive and reduced modules", reduced_modules, _never),
    "error": SectionKind("Cost against error", errors, _never),
    "measurements": SectionKind("Time, memory and roofline", measurements),
    "variants": SectionKind("The variants", variant_counts, _never),
    "variant-changes": SectionKind("What each variant changes", variant_changes, _never),
    "variant-times": SectionKind("What was measured", variant_times, _never),
    "decision": SectionKind("Decision", nothing, _never),
    "paper-modules": SectionKind("The modules that the paper draws", paper_modules, _never),
    **{
        topic.section: SectionKind(topic.name, partial(shown, topic), _never, partial(words, topic))
        for topic in topics()
    },
    "corrections": SectionKind("Errors of the study note", corrections, _never),
    "conventions": SectionKind("Conventions and provenance", conventions),
}
