"""The sections of a report, a file each. Numbers come from traces; published figures are called
so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
from .note import (
    architecture,
    corrections,
    inception_modules,
    inception_v2,
    network_in_network,
    paper_modules,
    pointwise,
    small_kernels,
    smaller_grids,
    supervision,
    to_scale,
)
from .opportunities import has_opportunities, opportunities
from .summary import summary
from .tables import tables
from .variants import variant_changes, variant_counts, variant_times


@dataclass(frozen=True)
class SectionKind:
    """A section's title, what makes its parts, and which reports have it when none are named."""

    title: str
    make: Callable[[Context], Sequence[Block]]
    applies: Callable[[Context], bool] = lambda context: True


def _never(c: Context) -> bool:
    return False


def introduction(c: Context) -> list[Block]:
    """Nothing but the report's own note."""
    return []


SECTIONS = {
    "introduction": SectionKind("Introduction", introduction, _never),
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
    "decision": SectionKind("Decision", introduction, _never),
    "network-in-network": SectionKind("Network in Network", network_in_network, _never),
    "pointwise": SectionKind("1x1 convolutions", pointwise, _never),
    "inception-modules": SectionKind("Inception modules", inception_modules, _never),
    "architecture": SectionKind("The structure of the network", architecture, _never),
    "to-scale": SectionKind("AlexNet, VGG and GoogLeNet to scale", to_scale, _never),
    "supervision": SectionKind("Auxiliary classifiers", supervision, _never),
    "small-kernels": SectionKind("Factorizing convolutions", small_kernels, _never),
    "smaller-grids": SectionKind("Smaller grids", smaller_grids, _never),
    "paper-modules": SectionKind("The modules that the paper draws", paper_modules, _never),
    "inception-v2": SectionKind("Inception-v2 and the results", inception_v2, _never),
    "corrections": SectionKind("Errors of the study note", corrections, _never),
    "conventions": SectionKind("Conventions and provenance", conventions),
}
