"""The solver: a verdict for every printed count, by trial of conventions, readings and widths.

A verdict is a test. What explains a cell was counted and prints as the cell does, and a wrong
number would not have been explained likewise: the chance of that, from everything that was tried,
is at most `chance.LIMIT`. Otherwise the cell is consistent, and that is weak evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .causes import (
    Cause,
    Finding,
    NoConvention,
    OtherConvention,
    OtherReading,
    OtherWidth,
    Rounded,
    Verdict,
)
from .chance import LIMIT, at_least
from .choice import Choice, OwnFit, choose
from .conventions import KINDS, RULES, Rule
from .lines import Line, Question, questions
from .result import ColumnSum, Fit, ReadingSum
from .widths import has_widths, width_chance, width_of

_EQUAL = 1e-9  # in printed units


@dataclass(frozen=True)
class Solved:
    """The convention and the reading of a table, and what is found of each printed count.

    `findings`: by the row and the kind of count."""

    choice: Choice
    findings: Mapping[tuple[Line, str], Finding]


def solve(lines: Sequence[Line], readings: Sequence[str] = ()) -> Solved:
    """Choose one convention and one reading for the table, then judge each of its counts."""
    asked = questions(lines)
    choice = choose(asked, readings)
    own = {q: choice.own_fit(q) for q in asked}
    found = dict(_by_the_reading(choice, own))
    found |= _at_other_widths(choice, lines, [q for q in asked if q not in found])
    found |= _by_another_convention(choice, [q for q in asked if q not in found])
    found |= {q: _unexplained(choice, q) for q in asked if q not in found}
    return Solved(choice, {(q.line, q.kind): found[q] for q in asked})


def _judged(verdict: Verdict, cause: Cause | None, chance: float) -> Finding:
    """A finding, which is weak evidence where a wrong number would have fitted too often."""
    return Finding(verdict if chance <= LIMIT else Verdict.WEAK, cause, chance)


def _by_the_reading(
    choice: Choice, own: Mapping[Question, OwnFit]
) -> Iterator[tuple[Question, Finding]]:
    """The cells that fit the table's convention. Those where the table's reading is not the trace
    are explained by it together: none of them alone would say so."""
    other = {q: fit for q, fit in own.items() if q.differs_in(choice.reading)}
    hits = sum(fit.rule is not None for fit in other.values())
    tried = len(choice.readings) - 1
    together = min(1.0, tried * at_least(hits, [fit.chance for fit in other.values()]))
    for q, fit in own.items():
        if fit.rule is None:
            continue
        if q in other:
            value = fit.rule.value(q.counts[choice.reading])
            cause = OtherReading(choice.reading, value, fit.rule)
            yield q, _judged(Verdict.EXPLAINED, cause, together)
        elif _is_exact(q, fit.rule):
            yield q, _judged(Verdict.EXACT, None, fit.chance if q.number.value else 0.0)
        else:
            yield q, _judged(Verdict.ROUNDED, Rounded(fit.rule.rounding), fit.chance)


def _is_exact(q: Question, rule: Rule) -> bool:
    scaled = rule.value(q.counts[""]) / rule.base**q.number.power
    return abs(scaled - q.number.value) < _EQUAL


def _at_other_widths(
    choice: Choice, lines: Sequence[Line], left: Sequence[Question]
) -> dict[Question, Finding]:
    """Rows whose both counts fit another number of input channels, of all that are left over."""
    rows = {q.line: None for q in left if has_widths(q.line, choice.reading)}
    widths = {line: width_of(line, choice.rules, choice.reading) for line in rows}
    hits = sum(width is not None for width in widths.values())
    chance = at_least(hits, [width_chance(r, choice.rules, choice.reading) for r in rows])
    found: dict[Question, Finding] = {}
    for q in left:
        channels, row = widths.get(q.line), q.line.row_in(choice.reading)
        if channels is not None and row is not None and row.width is not None:
            cause = OtherWidth(channels, row.width.channels)
            found[q] = _judged(Verdict.EXPLAINED, cause, chance)
    return found


def _by_another_convention(choice: Choice, left: Sequence[Question]) -> dict[Question, Finding]:
    """For each kind the one other convention that fits most of the cells that are left over."""
    found: dict[Question, Finding] = {}
    for kind in KINDS:
        cells = [q for q in left if q.kind == kind]
        rules = [r for r in RULES[kind] if not r.counts_like(choice.rules[kind])]
        fits = {r: [q for q in cells if q.fits(r, choice.reading)] for r in rules}
        best = max(rules, key=lambda r: len(fits[r]))
        if not fits[best]:
            continue
        hits = len(fits[best])
        chance = _chance_of_some_rule(hits, cells, rules, choice.reading)
        cause = OtherConvention(best, hits, len(cells))
        found |= {q: _judged(Verdict.EXPLAINED, cause, chance) for q in fits[best]}
    return found


def _chance_of_some_rule(
    hits: int, cells: Sequence[Question], rules: Sequence[Rule], reading: str
) -> float:
    """The chance, at most, that some rule fits so many of wrong cells. Rules that print all cells
    alike are one."""
    different = {tuple(q.prints(rule, reading) for q in cells): rule for rule in rules}
    chances = ([q.chance([(reading, rule)]) for q in cells] for rule in different.values())
    return min(1.0, sum(at_least(hits, each) for each in chances))


def _unexplained(choice: Choice, q: Question) -> Finding:
    """Nothing fits; the nearest convention is named."""
    counts = q.counts.get(choice.reading, q.counts[""])

    def off(rule: Rule) -> float:
        value = rule.value(counts)
        return q.number.amount(rule.base) / value - 1 if value else float("inf")

    nearest = min(RULES[q.kind], key=lambda rule: abs(off(rule)))
    return Finding(Verdict.UNEXPLAINED, NoConvention(nearest, off(nearest)))


def fits(choice: Choice, asked: Sequence[Question]) -> tuple[Fit, ...]:
    """How many printed cells each convention fits in the table's reading: for params, then for
    ops, the best first."""
    found: list[Fit] = []
    for kind in KINDS:
        of = sum(q.kind == kind for q in asked)
        if of:
            counted = [Fit(r, choice.fits.counts[choice.reading, r], of) for r in RULES[kind]]
            found += sorted(counted, key=lambda fit: -fit.fits)
    return tuple(found)


def sums(lines: Sequence[Line], choice: Choice) -> Iterator[ColumnSum]:
    """The sum of each printed column beside those of the trace and of the other readings."""
    for kind, rule in choice.rules.items():
        present = [x for x in lines if x.row and kind in x.numbers and not x.is_total]
        if not present:
            continue
        counted: list[ReadingSum] = []
        for reading in choice.readings:
            rows = (x.row_in(reading) for x in present)
            counted.append(ReadingSum(reading, sum(rule.value(r.counts) for r in rows if r)))
        printed = sum(x.numbers[kind].amount(rule.base) for x in present)
        yield ColumnSum(kind, printed, tuple(counted))
