"""The result of a check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .._result import Result
from .._version import __version__
from ..analysis.budget import Behind, listing
from ..analysis.limits import QUANTITIES, Judgement, spell
from ..tables import Column, Sheet
from ..tables.findings import Finding, Findings, Outcome
from . import notes
from .config import Budget, ModelBudget


@dataclass(frozen=True)
class Verdict:
    """What became of one limit.

    Attributes:
        outcome: "passed"; "failed", the limit is broken; "skipped", it holds of another device or
            nothing was measured; "error", it cannot be judged.
        judgement: the figures; None where it was not judged.
        why: of one that was not judged.
        behind: the blocks that explain a failure; None where there is none, or they do not.
    """

    budget: Budget
    outcome: Outcome
    judgement: Judgement | None = None
    why: str = ""
    behind: Behind | None = None


@dataclass(frozen=True)
class Checked:
    """What became of one model.

    Attributes:
        verdicts: of its limits, in order; empty where the model could not be traced.
        error: why it could not be traced; "" if it could.
        notes: what a reader must know, such as that the model is not in the lock file.
        seconds: that building, tracing and judging took.
    """

    model: ModelBudget
    verdicts: tuple[Verdict, ...]
    error: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def outcomes(self) -> list[Outcome]:
        """Of each limit, and of the model itself where it could not be traced."""
        return ["error"] if self.error else [v.outcome for v in self.verdicts]


@dataclass(frozen=True, repr=False)
class Check(Result):
    """The models of a configuration with their limits, judged.

    Attributes:
        path: of the configuration.
        notes: of the lock file.
    """

    path: str
    models: tuple[Checked, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no limit is broken, and every one could be judged or was skipped."""
        return not {"failed", "error"}.intersection(o for m in self.models for o in m.outcomes)

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The limits that are broken."""
        return tuple(v for m in self.models for v in m.verdicts if v.outcome == "failed")

    @property
    def sheet(self) -> Sheet:
        """A row a limit, in blocks by model."""
        rows = [row for checked in self.models for row in _rows(checked)]
        said = (*self._broken(), *(n for m in self.models for n in m.notes), *self.notes)
        title = notes.title(self.path, [m.outcomes for m in self.models])
        return Sheet(title, COLUMNS, tuple(rows), said, group="model")

    @property
    def findings(self) -> Findings:
        """For JUnit, GitHub and SARIF."""
        found = tuple(f for checked in self.models for f in _findings(self.path, checked))
        rules = {"model": "the model builds and runs"}
        rules |= {q.name: q.says for q in QUANTITIES.values()}
        return Findings("costlab check", __version__, rules, found)

    def report(self, format: str) -> str:
        """The verdicts as "junit", "github" (annotations) or "sarif". Raises ValueError for another
        format."""
        from ..render.findings import FINDING_FORMATS

        if format not in FINDING_FORMATS:
            raise ValueError(f"unknown format {format!r}; choose {', '.join(FINDING_FORMATS)}")
        return FINDING_FORMATS[format](self.findings)

    def _broken(self) -> Iterator[str]:
        """What is broken or could not be judged, a line each with its place, and why."""
        for finding in self.findings.found:
            if finding.outcome in ("failed", "error"):
                yield f"{finding.path}:{finding.line}: {finding.group}: {finding.message}"
                yield from (f"  {line}" for line in finding.details)


COLUMNS = (
    Column("model", detail=True),
    Column("limit"),
    Column("verdict"),
    Column("lock"),
    Column("now"),
    Column("change", "%", format="+.2f"),
    Column("note", importance=4),
    Column("quantity", detail=True),
    Column("block", detail=True),
    Column("lock (exact)", detail=True),
    Column("now (exact)", detail=True),
    Column("line", detail=True),
)


def _rows(checked: Checked) -> Iterator[dict[str, Any]]:
    name = checked.model.name
    if checked.error:
        yield {"model": name, "verdict": "error", "note": checked.error, "line": checked.model.line}
    for verdict in checked.verdicts:
        limit = verdict.budget.limit
        yield {
            "model": name,
            "limit": limit.text,
            "verdict": verdict.outcome,
            "note": verdict.why or notes.tolerance(verdict.budget.tolerance),
            "quantity": limit.quantity,
            "block": limit.block,
            "line": verdict.budget.line,
            **(_figures(verdict.judgement) if verdict.judgement else {}),
        }


def _figures(judgement: Judgement) -> dict[str, Any]:
    """The cells of what was judged."""
    unit = QUANTITIES[judgement.limit.quantity].unit
    cells = {"now": spell(judgement.head, unit), "now (exact)": judgement.head}
    if judgement.base is not None:
        cells |= {"lock": spell(judgement.base, unit), "lock (exact)": judgement.base}
        if judgement.base:
            change = 100 * (judgement.head - judgement.base) / judgement.base
            cells["change"] = change
    return cells


def _findings(path: str, checked: Checked) -> Iterator[Finding]:
    model = checked.model
    if checked.error:
        yield Finding(
            model.name,
            model.model,
            "model",
            "error",
            checked.error,
            path=path,
            line=model.line,
            seconds=checked.seconds,
        )
    for i, verdict in enumerate(checked.verdicts):
        limit = verdict.budget.limit
        yield Finding(
            model.name,
            limit.text,
            limit.quantity,
            verdict.outcome,
            str(verdict.judgement) if verdict.judgement else f"{limit.text}: {verdict.why}",
            tuple(listing(limit, verdict.behind)) if verdict.behind else (),
            path,
            verdict.budget.line,
            0.0 if i else checked.seconds,  # the first limit has the time of the trace
        )
