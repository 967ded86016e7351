"""The named facts that explain a printed cell; the words for them are in `notes`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .conventions import Rule


class Verdict(StrEnum):
    """How a printed cell compares with the trace."""

    EXACT = "exact"
    ROUNDED = "within rounding"
    EXPLAINED = "explained"
    UNEXPLAINED = "not explained"


@dataclass(frozen=True)
class Rounded:
    """The count under the convention of most cells, rounded in a way of `ROUNDINGS`."""

    rounding: str


@dataclass(frozen=True)
class OtherReading:
    """Another reading of the network has `value` under `rule`."""

    reading: str
    value: int
    rule: Rule


@dataclass(frozen=True)
class OtherWidth:
    """Both counts of a fork fit for `channels` input channels; the trace has `traced`."""

    channels: int
    traced: int


@dataclass(frozen=True)
class OtherConvention:
    """The count fits under `rule`, which is not the convention of most cells."""

    rule: Rule


@dataclass(frozen=True)
class FewDigits:
    """The convention of most cells fits, coarsely: the cell has few digits."""

    rounding: str


@dataclass(frozen=True)
class TwoDigits:
    """The count fits once it is cut to two digits, in a way of `ROUNDINGS`."""

    rounding: str


@dataclass(frozen=True)
class NoConvention:
    """No convention that was tried fits."""


@dataclass(frozen=True)
class MissingRow:
    """The trace has no row that the printed one could mean."""


@dataclass(frozen=True)
class InputGrid:
    """The printed output grid is the input's, although the row strides."""


@dataclass(frozen=True)
class OtherGrid:
    """The printed output grid differs, its channels do not."""


@dataclass(frozen=True)
class OneLayer:
    """The printed depth counts the row as one layer."""


@dataclass(frozen=True)
class FilterSum:
    """The printed filters add up to `channels`, which is not the printed depth of the output."""

    channels: int


Cause = (
    Rounded
    | OtherReading
    | OtherWidth
    | OtherConvention
    | FewDigits
    | TwoDigits
    | NoConvention
    | MissingRow
    | InputGrid
    | OtherGrid
    | OneLayer
    | FilterSum
)


@dataclass(frozen=True)
class Finding:
    """A verdict and its cause (None: it needs none, or none is known)."""

    verdict: Verdict
    cause: Cause | None = None
