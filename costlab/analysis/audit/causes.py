"""The named facts that explain a printed cell, or hint at why nothing does; the words for them are
in `notes`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .conventions import Rule


class Verdict(StrEnum):
    """How a printed cell compares with the trace."""

    EXACT = "exact"
    ROUNDED = "within rounding"
    EXPLAINED = "explained"
    WEAK = "weak evidence"  # consistent, but a wrong number could well be
    UNEXPLAINED = "not explained"


ACCOUNTED = (Verdict.EXACT, Verdict.ROUNDED, Verdict.EXPLAINED)


@dataclass(frozen=True)
class Rounded:
    """The count under the convention of the table, rounded in a way of `ROUNDINGS`; `digits`: to so
    many, where the printed number has more, which are zeros (None: to those that are printed)."""

    rounding: str
    digits: int | None = None


@dataclass(frozen=True)
class OtherReading:
    """Another reading of the network has `value` under `rule`; `digits` as in `Rounded`."""

    reading: str
    value: int
    rule: Rule
    digits: int | None = None


@dataclass(frozen=True)
class OtherWidth:
    """Both counts of a fork fit for `channels` input channels; the trace has `traced`."""

    channels: int
    traced: int


@dataclass(frozen=True)
class OtherConvention:
    """The count fits under `rule`, which is not the table's convention: so do `cells` of the `of`
    cells that the table's convention does not fit."""

    rule: Rule
    cells: int
    of: int


@dataclass(frozen=True)
class NoConvention:
    """No convention that was tried fits; the nearest is off by `off`, printed over recomputed
    less one."""

    rule: Rule
    off: float


@dataclass(frozen=True)
class MissingRow:
    """The trace has no row that the printed one could mean."""


@dataclass(frozen=True)
class InputGrid:
    """The printed output grid is the one that the row reads."""


@dataclass(frozen=True)
class LayerCount:
    """The trace's row is `layers` deep."""

    layers: int


@dataclass(frozen=True)
class FilterSum:
    """The printed filters add up to `channels`, which is not the printed depth of the output."""

    channels: int


Cause = (
    Rounded
    | OtherReading
    | OtherWidth
    | OtherConvention
    | NoConvention
    | MissingRow
    | InputGrid
    | LayerCount
    | FilterSum
)


@dataclass(frozen=True)
class Finding:
    """A verdict, its cause (None: it needs none, or none is known), and the `chance` that a wrong
    number would have been explained as well (None: the cell is no count, or not explained)."""

    verdict: Verdict
    cause: Cause | None = None
    chance: float | None = None
