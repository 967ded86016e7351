"""The solver: what explains a printed count, by trial of conventions, readings and widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .causes import (
    FewDigits,
    Finding,
    NoConvention,
    OtherConvention,
    OtherReading,
    OtherWidth,
    Rounded,
    Verdict,
)
from .cells import Printed, PrintedRow
from .conventions import KINDS, RULES, Counts, Rule
from .result import ColumnSum, Fit, ReadingSum
from .rows import Counted

COARSE = 0.2  # share by which a single printed digit may be off, cut off or rounded up
_WIDTH_OFF = 0.25  # how far off an input width may be, as a share, to explain a row
_CHANNEL_STEP = 16  # the widths of these papers are multiples of 16
_EQUAL = 1e-9  # in printed units


@dataclass(frozen=True)
class Reading:
    """A row in another reading of the network."""

    name: str
    row: Counted


@dataclass(frozen=True)
class Line:
    """A printed row, its counts as printed by kind, and the rows that it means.

    `row`: the traced row, None where there is none; `readings`: its counterpart in each other
    reading that has one."""

    name: str
    printed: PrintedRow
    numbers: Mapping[str, Printed]
    row: Counted | None
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class Question:
    """One printed count: its `kind`, its `line` with a traced row, the best rule of each kind."""

    kind: str
    line: Line
    row: Counted
    best: Mapping[str, Rule]

    @property
    def number(self) -> Printed:
        """The printed number."""
        return self.line.numbers[self.kind]

    @property
    def rule(self) -> Rule:
        """The rule that fits most cells of this kind."""
        return self.best[self.kind]

    def fitting(self) -> list[Rule]:
        """The rules under which the traced row prints as the number."""
        return [r for r in RULES[self.kind] if r.fits(self.number, self.row.counts)]


def fits(lines: Sequence[Line]) -> tuple[Fit, ...]:
    """How many printed cells each convention fits: for params, then for ops, the best first."""
    found = []
    for kind in KINDS:
        pairs = [
            (line.numbers[kind], line.row.counts)
            for line in lines
            if line.row is not None and kind in line.numbers
        ]
        if pairs:
            counted = [
                Fit(rule, sum(rule.fits(number, counts) for number, counts in pairs), len(pairs))
                for rule in RULES[kind]
            ]
            found += sorted(counted, key=lambda fit: -fit.fits)
    return tuple(found)


def best_rules(found: Sequence[Fit]) -> dict[str, Rule]:
    """The rule that fits most cells of each kind; the plainest one where no cell is printed."""
    return {
        kind: next((fit.rule for fit in found if fit.rule.kind == kind), RULES[kind][0])
        for kind in KINDS
    }


def sums(lines: Sequence[Line], best: Mapping[str, Rule], readings: Sequence[str]):
    """The sum of each printed column beside those of the trace and of the other `readings`."""
    for kind, rule in best.items():
        present = [line for line in lines if line.row is not None and kind in line.numbers]
        if not present:
            continue
        counted = [ReadingSum("", sum(rule.value(x.row.counts) for x in present if x.row))]
        for name in readings:
            rows = [
                r.row
                for line in lines
                if kind in line.numbers
                for r in line.readings
                if r.name == name
            ]
            counted.append(ReadingSum(name, sum(rule.value(r.counts) for r in rows)))
        printed = sum(line.numbers[kind].amount(rule.base) for line in present)
        yield ColumnSum(kind, printed, tuple(counted))


def solve(question: Question) -> Finding:
    """The first explanation that holds, the plainest tried first."""
    for explain in (
        _as_most_cells,
        _in_another_reading,
        _at_another_width,
        _by_another_convention,
        _to_few_digits,
    ):
        if found := explain(question):
            return found
    return Finding(Verdict.UNEXPLAINED, NoConvention())


def _as_most_cells(q: Question) -> Finding | None:
    if q.rule.fits(q.number, q.row.counts):
        scaled = q.rule.value(q.row.counts) / q.rule.base**q.number.power
        if abs(scaled - q.number.value) < _EQUAL:
            return Finding(Verdict.EXACT)
        return Finding(Verdict.ROUNDED, Rounded(q.rule.rounding))
    alike = next((r for r in q.fitting() if r.counts_like(q.rule)), None)
    return Finding(Verdict.ROUNDED, Rounded(alike.rounding)) if alike else None


def _in_another_reading(q: Question) -> Finding | None:
    # the plainest rule that fits, those of the best convention's base before others
    rules = sorted(RULES[q.kind], key=lambda r: r.base != q.rule.base)
    for reading in q.line.readings:
        counts = reading.row.counts
        if (counts.weights, counts.macs) == (q.row.counts.weights, q.row.counts.macs):
            continue  # the same row in both
        rule = next((r for r in rules if r.fits(q.number, counts, COARSE)), None)
        if rule:
            return Finding(Verdict.EXPLAINED, OtherReading(reading.name, rule.value(counts), rule))
    return None


def _at_another_width(q: Question) -> Finding | None:
    """Another number of input channels that fits both counts: one alone fits some width."""
    if q.row.width is None or len(q.line.numbers) < len(KINDS):
        return None
    traced = q.row.width.channels
    least = _CHANNEL_STEP * round(traced * (1 - _WIDTH_OFF) / _CHANNEL_STEP)
    widths = range(least, round(traced * (1 + _WIDTH_OFF)) + 1, _CHANNEL_STEP)
    for channels in sorted(widths, key=lambda c: abs(c - traced)):
        if channels != traced and _all_fit(q, q.row.counts_at(channels)):
            return Finding(Verdict.EXPLAINED, OtherWidth(channels, traced))
    return None


def _all_fit(q: Question, counts: Counts) -> bool:
    """Whether every printed count of the row fits under some rounding of the best rules."""
    return all(
        any(r.counts_like(q.best[kind]) and r.fits(number, counts) for r in RULES[kind])
        for kind, number in q.line.numbers.items()
    )


def _by_another_convention(q: Question) -> Finding | None:
    rules = q.fitting()
    return Finding(Verdict.EXPLAINED, OtherConvention(rules[0])) if rules else None


def _to_few_digits(q: Question) -> Finding | None:
    for rule in RULES[q.kind]:
        # the value of the best rule: rules that count alike have the same
        if rule.counts_like(q.rule) and rule.fits(q.number, q.row.counts, COARSE):
            return Finding(Verdict.EXPLAINED, FewDigits(rule.rounding))
    return None
