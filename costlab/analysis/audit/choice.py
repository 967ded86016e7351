"""The one convention and the one reading of a table: those that fit most of its cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .conventions import RULES, Rule, roundings_of
from .lines import Question
from .widths import width_of


@dataclass(frozen=True)
class Fits:
    """Which cells fit under which convention.

    `of`: for each cell the (reading, rule) pairs that fit it; `counts`: how many cells each pair
    fits. A fork of another width counts for the params of its row."""

    of: Mapping[Question, frozenset[tuple[str, Rule]]]
    counts: Mapping[tuple[str, Rule], int]

    def without(self, q: Question, reading: str, rule: Rule) -> int:
        """How many of the other cells a pair fits."""
        return self.counts[reading, rule] - ((reading, rule) in self.of[q])

    def best(self, kind: str, reading: str) -> Rule:
        """The rule that fits most cells of a kind, the plainest of equals."""
        return max(RULES[kind], key=lambda rule: self.counts[reading, rule])

    def most(self, reading: str, without: Question | None = None) -> int:
        """How many cells the best rules fit in a reading, one cell left out."""
        found = 0
        for rules in RULES.values():
            fits = (
                self.without(without, reading, r)
                if without and without.kind == r.kind
                else self.counts[reading, r]
                for r in rules
            )
            found += max(fits)
        return found


def fits_of(asked: Sequence[Question], readings: Sequence[str]) -> Fits:
    """Try every convention on every cell, in every reading of the network."""
    pairs = {q: _pairs(q, readings) for q in asked}
    for reading in readings:
        ops = max(RULES["ops"], key=lambda r: sum((reading, r) in pairs[q] for q in asked))
        for q in asked:
            if q.kind == "params":
                pairs[q] |= _pairs_at_other_widths(q, ops, reading)
    counts = {
        (reading, rule): sum((reading, rule) in pairs[q] for q in asked if q.kind == kind)
        for kind, rules in RULES.items()
        for reading in readings
        for rule in rules
    }
    return Fits({q: frozenset(found) for q, found in pairs.items()}, counts)


def _pairs_at_other_widths(q: Question, ops: Rule, reading: str) -> set[tuple[str, Rule]]:
    """The pairs for which both counts of the row fit another width."""
    plain = (rule for rule in RULES["params"] if rule.rounding == "rounded")
    return {
        (reading, r)
        for rule in plain
        if width_of(q.line, {"params": rule, "ops": ops}, reading)
        for r in roundings_of(rule)
    }


def _pairs(q: Question, readings: Sequence[str]) -> set[tuple[str, Rule]]:
    return {(name, rule) for name in readings for rule in RULES[q.kind] if q.fits(rule, name)}


@dataclass(frozen=True)
class OwnFit:
    """How a cell fits the table's convention: the `rule` it fits under (of those that count like
    the table's; None: none), and the `chance` that a wrong number fits as well."""

    rule: Rule | None
    chance: float


@dataclass(frozen=True)
class Choice:
    """One `reading` of the network for the whole table ("" is the trace), and one rule a kind."""

    reading: str
    rules: Mapping[str, Rule]
    fits: Fits
    readings: tuple[str, ...]

    def own_fit(self, q: Question) -> OwnFit:
        """How one cell fits. Its chance counts every convention that this cell alone could have
        made the table's, up to the one that was chosen."""
        rivals = list(self._rivals(q))
        chosen = self.rules[q.kind]
        if q.fits(chosen, self.reading):
            return OwnFit(chosen, q.chance(rivals))
        alike = [(reading, r) for reading, rule in rivals for r in roundings_of(rule)]
        fitting = (r for r in roundings_of(chosen) if q.fits(r, self.reading))
        return OwnFit(next(fitting, None), q.chance(alike))

    def _rivals(self, q: Question) -> Iterator[tuple[str, Rule]]:
        """(reading, rule) of each convention that this cell could have made the table's: another
        reading's best, and of the rules those that are at least as plain as the chosen one."""
        most = self.fits.most(self.reading, q)
        for reading in self.readings:
            if reading != self.reading and self.fits.most(reading, q) + 1 >= most:
                yield reading, self.fits.best(q.kind, reading)
        least = max(self.fits.without(q, self.reading, r) for r in RULES[q.kind]) - 1
        for rule in RULES[q.kind]:
            if rule == self.rules[q.kind]:
                break
            if self.fits.without(q, self.reading, rule) >= least:
                yield self.reading, rule
        yield self.reading, self.rules[q.kind]


def choose(asked: Sequence[Question], others: Sequence[str]) -> Choice:
    """The reading and the rules that fit most cells: of equals the trace and the plainest rule."""
    readings = ("", *others)
    fits = fits_of(asked, readings)
    reading = max(readings, key=fits.most)
    rules = {kind: fits.best(kind, reading) for kind in RULES}
    return Choice(reading, rules, fits, readings)
