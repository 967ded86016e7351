"""Printed rows beside the traced rows that they mean, and what they print under a convention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...trace import Trace
from .cells import Printed, PrintedRow
from .chance import share
from .conventions import Counts, Rule
from .rows import Counted


@dataclass(frozen=True)
class OtherTrace:
    """Another reading of the network: what it is, and its trace."""

    name: str
    trace: Trace


@dataclass(frozen=True, eq=False)
class Line:
    """A printed row, its counts as printed by kind, and the rows that it means.

    `row`: the traced row, None where there is none; `readings`: its counterpart in each other
    reading that has one; `is_total`: it prints the sum of the others."""

    name: str
    printed: PrintedRow
    numbers: Mapping[str, Printed]
    row: Counted | None
    readings: Mapping[str, Counted] = field(default_factory=dict[str, Counted])
    is_total: bool = False

    def row_in(self, reading: str) -> Counted | None:
        """The row in a reading; "" is the trace."""
        return self.readings.get(reading) if reading else self.row


@dataclass(frozen=True, eq=False)
class Question:
    """One printed count: its kind (params or ops), its number, and its counts in each reading that
    has the row; "" is the trace."""

    kind: str
    line: Line
    number: Printed
    counts: Mapping[str, Counts]

    def fits(self, rule: Rule, reading: str) -> bool:
        """Whether the row prints as the number, in a reading and under a rule."""
        counts = self.counts.get(reading)
        return counts is not None and rule.fits(self.number, counts)

    def prints(self, rule: Rule, reading: str) -> int | None:
        """What the row prints as, with the digits of the number; None where the reading has no
        such row."""
        counts = self.counts.get(reading)
        return rule.prints(self.number, counts) if counts is not None else None

    def chance(self, tried: Iterable[tuple[str, Rule]]) -> float:
        """The chance that a wrong number fits one of these (reading, rule)."""
        prints = (self.prints(rule, reading) for reading, rule in tried)
        return share((n for n in prints if n is not None), self.number.last_digits)

    def differs_in(self, reading: str) -> bool:
        """Whether a reading counts something else here than the trace."""
        return self.counts.get(reading) != self.counts[""]


def questions(lines: Sequence[Line]) -> list[Question]:
    """Every printed count that has a traced row."""
    found: list[Question] = []
    for line in lines:
        if line.row is None:
            continue
        counts = {"": line.row.counts, **{name: row.counts for name, row in line.readings.items()}}
        found += [Question(kind, line, number, counts) for kind, number in line.numbers.items()]
    return found
