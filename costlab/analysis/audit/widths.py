"""Forks whose both counts fit another number of input channels: one count alone fits some width."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .chance import share
from .conventions import KINDS, Counts, Rule, roundings_of
from .lines import Line
from .rows import Counted

_WIDTH_OFF = 0.25  # how far off an input width may be, as a share, to explain a row
_CHANNEL_STEP = 16  # the widths of these papers are multiples of 16


def width_of(line: Line, rules: Mapping[str, Rule], reading: str) -> int | None:
    """The nearest other number of input channels for which both counts of a row fit; None where
    there is none."""
    row = line.row_in(reading)
    if row is None:
        return None
    return next((c for c in _widths(line, row) if _fit(line, rules, row.counts_at(c))), None)


def width_chance(line: Line, rules: Mapping[str, Rule], reading: str) -> float:
    """The chance that two wrong counts fit one of the widths that are tried."""
    row = line.row_in(reading)
    if row is None:
        return 0.0
    found = 0.0
    for channels in _widths(line, row):
        both = 1.0
        for kind in KINDS:
            number, counts = line.numbers[kind], row.counts_at(channels)
            prints = (r.prints(number, counts) for r in roundings_of(rules[kind]))
            both *= share(prints, number.last_digits)
        found += both
    return min(1.0, found)


def has_widths(line: Line, reading: str) -> bool:
    """Whether other widths are tried for a row."""
    row = line.row_in(reading)
    return row is not None and next(_widths(line, row), None) is not None


def _widths(line: Line, row: Counted) -> Iterator[int]:
    """The other widths of a fork whose both counts are printed, the nearest first."""
    if row.width is None or len(line.numbers) < len(KINDS):
        return
    traced = row.width.channels
    least = _CHANNEL_STEP * round(traced * (1 - _WIDTH_OFF) / _CHANNEL_STEP)
    widths = range(least, round(traced * (1 + _WIDTH_OFF)) + 1, _CHANNEL_STEP)
    yield from (c for c in sorted(widths, key=lambda c: abs(c - traced)) if c != traced)


def _fit(line: Line, rules: Mapping[str, Rule], counts: Counts) -> bool:
    """Whether both counts fit under some rounding of the rules."""
    return all(
        any(r.fits(number, counts) for r in roundings_of(rules[kind]))
        for kind, number in line.numbers.items()
    )
