"""One limit of a model that was traced is judged against what the lock file has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..analysis.limits import PREDICTED, PRICES, Called, Limit, LimitError, judge
from ..analysis.price import Price
from ..predict import Prediction
from . import notes
from .blocks import blocks_behind, called_in
from .config import Budget
from .figures import Timed
from .lock import Entry
from .result import Verdict
from .timing import Times


@dataclass(frozen=True)
class Traced:
    """A model that was traced: its figures, the modules that it consists of, its times, the
    prediction of them where a profile was given, and its prices where a rate was given too."""

    head: Timed
    parts: tuple[str, ...]
    times: Times
    prediction: Prediction | None = None
    prices: tuple[Price, ...] = ()


@dataclass(frozen=True)
class Baseline:
    """What the lock file has of one model.

    Attributes:
        lock: name of the file.
        exists: whether there is one.
        entry: None where it does not have the model.
        new: the entry is of now, from `--update`: only relative limits refer to it.
    """

    lock: str
    exists: bool
    entry: Entry | None
    new: bool = False


def verdict(budget: Budget, model: Traced, baseline: Baseline) -> Verdict:
    """Judge one limit."""
    limit = budget.limit
    if limit.quantity in PREDICTED and limit.relative:
        return Verdict(budget, "error", why=notes.PREDICTED_RELATIVE)
    if why := _skipped(limit, model, baseline):
        return Verdict(budget, "skipped", why=why)
    called = called_in(limit.block, model.parts, model.head, baseline.entry)
    if called.head != limit.block:
        return Verdict(budget, "error", why=notes.renamed(limit, called.head))
    if limit.relative and (why := _no_base(limit, called, baseline)):
        return Verdict(budget, "error", why=why)
    base = _base(limit, model.times, baseline)
    try:
        judgement = judge(limit, model.head, base, called=called, tolerance=budget.tolerance)
    except LimitError as e:
        return Verdict(budget, "error", why=str(e).removeprefix(f"{limit.text!r}: "))
    if judgement.holds:
        return Verdict(budget, "passed", judgement)
    behind = blocks_behind(limit, called, model.parts, model.head, base)
    return Verdict(budget, "failed", judgement, behind=behind)


def _skipped(limit: Limit, model: Traced, baseline: Baseline) -> str:
    """Why a limit on time says nothing here: it is for another device, or nothing was measured or
    predicted."""
    times = model.times
    if limit.quantity in PREDICTED and model.prediction is None:
        return notes.NOT_PREDICTED
    if limit.quantity in PRICES and not model.prices:
        return notes.NOT_PRICED
    if limit.quantity != "time":
        return ""
    if not times.figures:
        return times.why
    entry = baseline.entry
    if limit.relative and entry and entry.measured_on not in ("", times.on):
        return notes.other_conditions(baseline.lock, entry.measured_on, times.on)
    return ""


def _no_base(limit: Limit, called: Called, baseline: Baseline) -> str:
    """Why a relative limit has nothing that it is relative to; "" where it has."""
    if not baseline.exists:
        return notes.no_lock(baseline.lock)
    entry = baseline.entry
    if entry is None or entry.figure(limit.quantity, called.base) is None:
        return notes.not_in_lock(baseline.lock, limit)
    return ""


def _base(limit: Limit, times: Times, baseline: Baseline) -> Entry | None:
    """The figures that a limit is judged against, or that are shown beside an absolute one."""
    entry = baseline.entry
    if entry is None or baseline.new and not limit.relative:
        return None
    return entry if entry.measured_on == times.on else _without_times(entry)


def _without_times(entry: Entry) -> Entry:
    """An entry without its times, which are of another device than those of now."""
    figures: Mapping[str, Mapping[str, float]] = {
        block: {name: value for name, value in values.items() if name != "time"}
        for block, values in entry.figures.items()
    }
    return replace(entry, figures=figures)
