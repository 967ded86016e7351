"""What the sections of a report are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ..analysis import audit as auditing
from ..analysis.change import Change, change
from ..analysis.factorize import candidates
from ..analysis.grid import reductions
from ..analysis.profile import profile
from ..cost import Convention, total
from ..measure.runs import Run
from ..tables import default_convention, table
from ..trace import Trace

Find = Callable[[str], Trace]


@dataclass(frozen=True)
class About:
    """One model of the report: its `trace`, and what is found in it; `find(spec)` traces another
    model by name."""

    trace: Trace
    find: Find

    @property
    def name(self) -> str:
        """What it is called."""
        return self.trace.provenance["model"]

    @cached_property
    def total(self):
        """Its totals."""
        return total(self.trace)

    @cached_property
    def profile(self):
        """Its cost by stage."""
        return profile(self.trace)

    @cached_property
    def rows(self):
        """The rows of its table, alike modules as one."""
        return table(self.trace).rows

    @cached_property
    def convention(self) -> Convention:
        """What params are in its table, charts and diagrams."""
        return default_convention(self.trace)

    @cached_property
    def rewrites(self):
        """Rewrites that save MACs at the input's width, the best first."""
        return [c for c in candidates(self.trace, ["stacked-3x3", "1xn-nx1"], "in") if c.saved > 0]

    @cached_property
    def best_rewrites(self):
        """The best rewrite of each convolution."""
        best = {}
        for c in self.rewrites:
            best.setdefault(c.path, c)
        return list(best.values())

    @cached_property
    def reductions(self):
        """Places where the grid shrinks."""
        return reductions(self.trace)

    @cached_property
    def audit(self):
        """Published figures against the trace; None where there are none."""
        if self.name not in auditing.published_models():
            return None
        return auditing.audit_published(self.trace, self.find)


@dataclass(frozen=True)
class Context:
    """What a section is made of: the traces (the first is what the report is about), base and head
    of a review (or None), the command that makes the report, `find(spec)`, which traces another
    model by name, and the measured `runs`."""

    traces: tuple[Trace, ...]
    review: tuple[Trace, Trace] | None
    command: str
    find: Find
    runs: tuple[Run, ...] = ()

    @cached_property
    def models(self) -> tuple[About, ...]:
        """What is known of each model."""
        return tuple(About(t, self.find) for t in self.traces)

    @property
    def first(self) -> Trace:
        """The trace of the model that the report is about."""
        return self.traces[0]

    @property
    def everything(self) -> tuple[Trace, ...]:
        """Every trace that the report takes numbers from, once."""
        found = {id(t): t for t in (*self.traces, *(self.review or ()))}
        return tuple(found.values())

    @cached_property
    def change(self) -> Change | None:
        """Base against head; None without a review."""
        return change(*self.review) if self.review else None

    def idents(self, stem: str) -> list[tuple[About, str]]:
        """Each model with the id of its table or figure: the stem for the first, then stem-2."""
        return [(m, stem if i == 0 else f"{stem}-{i + 1}") for i, m in enumerate(self.models)]
