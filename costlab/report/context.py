"""What the sections of a report are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ..analysis import audit as auditing
from ..analysis.change import Change, change
from ..analysis.factorize import Candidate, Conv, candidates, with_times
from ..analysis.grid import reductions
from ..analysis.profile import profile
from ..analysis.ranking import ranked
from ..analysis.variants import Variants, variants
from ..cost import Convention, total
from ..measure.runs import Run
from ..tables import Row, Table, default_convention, display_name, table
from ..trace import Trace

Find = Callable[[str], Trace]


def _is_patch_embedding(conv: Conv) -> bool:
    return max(conv.kernel) <= min(conv.stride)


@dataclass(frozen=True)
class About:
    """One model of the report: its `trace`, and what is found in it; `find(spec)` traces another
    model by name."""

    trace: Trace
    find: Find

    @property
    def name(self) -> str:
        """What it is called: without the folders of its file."""
        return display_name(self.trace.provenance["model"])

    @cached_property
    def total(self):
        """Its totals."""
        return total(self.trace)

    @cached_property
    def profile(self):
        """Its cost by stage."""
        return profile(self.trace)

    @cached_property
    def table(self) -> Table:
        """Its table, in the style that reads best."""
        return table(self.trace)

    @cached_property
    def blocks(self) -> tuple[Row, ...]:
        """Its blocks of one depth, which are compared with one another."""
        return ranked(self.trace)

    @cached_property
    def convention(self) -> Convention:
        """What params are in its table, charts and diagrams."""
        return default_convention(self.trace)

    @cached_property
    def rewrites(self) -> list[Candidate]:
        """Rewrites that save MACs at the input's width, the best first. A patch embedding, whose
        patches do not overlap, has no smaller windows to stack."""
        found = candidates(self.trace, ["stacked-3x3", "1xn-nx1"], "in")
        return with_times(
            self.trace, [c for c in found if c.saved > 0 and not _is_patch_embedding(c.conv)]
        )

    @cached_property
    def best_rewrites(self) -> list[Candidate]:
        """The best rewrite of each convolution."""
        best: dict[str, Candidate] = {}
        for c in self.rewrites:
            best.setdefault(c.path, c)
        return list(best.values())

    @cached_property
    def reductions(self):
        """Places where the grid shrinks."""
        return reductions(self.trace)

    @property
    def parallel(self):
        """Those of them that a strided convolution beside a pool could replace."""
        return [r for r in self.reductions if r.parallel is not None]

    @cached_property
    def audit(self):
        """Published figures against the trace; None where there are none."""
        if self.trace.provenance["model"] not in auditing.published_models():
            return None
        return auditing.audit_published(self.trace, self.find)


class Finder:
    """Traces models by name, and keeps what was traced, in order."""

    def __init__(self, find: Find):
        self._find = find
        self.found: list[Trace] = []

    def __call__(self, spec: str) -> Trace:
        trace = self._find(spec)
        self.found.append(trace)
        return trace


@dataclass(frozen=True)
class Context:
    """What a section is made of: the traces (the first is what the report is about), base and head
    of a review (or None), the command that makes the report, `find(spec)`, which traces another
    model by name and keeps it, and the measured `runs`; `compared`: base against head, where that
    is known."""

    traces: tuple[Trace, ...]
    review: tuple[Trace, Trace] | None
    command: str
    find: Finder
    runs: tuple[Run, ...] = ()
    probe: str = ""
    compared: Change | None = None

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
        """Every trace that the report is about, once."""
        found = {id(t): t for t in (*self.traces, *(self.review or ()))}
        return tuple(found.values())

    @property
    def traced(self) -> tuple[Trace, ...]:
        """Every trace that numbers come from so far: also of what the sections and the notes
        compare with."""
        return (*self.everything, *self.find.found)

    @cached_property
    def change(self) -> Change | None:
        """Base against head; None without a review."""
        if self.compared or not self.review:
            return self.compared
        return change(*self.review)

    @cached_property
    def variants(self) -> Variants:
        """The other models against the first, with the measured runs of each."""
        return variants(self.first, self.traces[1:], [run.trace for run in self.runs])

    def idents(self, stem: str) -> list[tuple[About, str]]:
        """Each model with the id of its table or figure: the stem for the first, then stem-2."""
        return [(m, stem if i == 0 else f"{stem}-{i + 1}") for i, m in enumerate(self.models)]
