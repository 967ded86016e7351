"""Published totals against a trace, under readings of "the network" that are found by trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ...cost import total
from ...graph import Node, layer_graph
from ...trace import Trace
from .causes import Cause, Finding, NoConvention, OtherReading, Rounded, Verdict
from .cells import ROUNDINGS, Printed
from .chance import LIMIT, share
from .conventions import RULES, Counts, Rule
from .lines import OtherTrace
from .result import Cell
from .rows import count_ops


@dataclass(frozen=True)
class _Part:
    """The layers that a total may be of, and their counts. `is_all`: every layer; `is_traced`:
    of the trace, not of another reading of the network."""

    name: str
    counts: Counts
    is_all: bool
    is_traced: bool


@dataclass(frozen=True)
class _Trial:
    """A part counted under a rule, for a reading of the printed `number`.

    `steps`: how far it is from the plain count (all layers, K = 1000, one op a multiply-add, all
    params, each digit significant, rounded): two for each difference, one for the rounding, which a
    reader minds least."""

    part: _Part
    rule: Rule
    number: Printed
    steps: int

    @property
    def fits(self) -> bool:
        """Whether the part prints as the number."""
        return self.rule.fits(self.number, self.part.counts)


def audit_totals(
    trace: Trace, printed: Iterable[Mapping[str, str]], reading: OtherTrace | None = None
) -> tuple[Cell, ...]:
    """Check published totals.

    Args:
        trace: the network.
        printed: rows with `quantity` (params, ops, neurons), `printed`, `where`.
        reading: how the paper's own table is read, where that is not the trace.

    Raises ValueError for a number that cannot be read."""
    whole = total(trace)
    counts = count_ops(trace, trace.forward)
    parts = _parts(reading.trace, reading.name) if reading else _parts(trace)
    found: list[Cell] = []
    for line in printed:
        number = Printed.parse(line["printed"])
        if number is None:
            continue
        kind, where = line["quantity"], line["where"]
        if kind == "neurons":
            found.append(neurons(whole.activations, number, where))
        else:
            finding, value = solve(kind, number, parts), _plain(kind).value(counts)
            found.append(Cell("total", kind, number.text, value, finding, number, where=where))
    return tuple(found)


def _parts(trace: Trace, reading: str = "") -> tuple[_Part, ...]:
    """All layers, the convolutions alone, all but the classifier."""
    nodes = layer_graph(trace)
    last = next((n for n in reversed(nodes) if n.kind == "linear"), None)

    def part(name: str, chosen: Sequence[Node]):
        counts = count_ops(trace, [op for n in chosen for op in n.ops])
        named = ", ".join(filter(None, (reading, name)))
        return _Part(named, counts, len(chosen) == len(nodes), not reading)

    return (
        part("" if reading else "all layers", nodes),
        part("convolutions alone", [n for n in nodes if n.kind != "linear"]),
        part("without the classifier", [n for n in nodes if n is not last]),
    )


def neurons(exact: int, number: Printed, where: str = "") -> Cell:
    """A printed number of neurons."""
    finding = Finding(Verdict.UNEXPLAINED)
    tried: list[tuple[Printed, int]] = []
    for reading, rounding in product(number.readings, ROUNDINGS):
        tried.append((reading, reading.prints(exact, 1000, rounding)))
        if reading.fits(exact, 1000, rounding):
            same = number.amount(1000) == exact
            cause = None if same else Rounded(rounding, reading.digits)
            verdict = Verdict.EXACT if same else Verdict.ROUNDED
            finding = _judged(verdict, cause, _chance(tried))
            break
    return Cell("total", "neurons", number.text, exact, finding, number, where=where)


def _chance(tried: Iterable[tuple[Printed, int]]) -> float:
    """The chance, at most, that a wrong number prints as one of these: a reading of the number, and
    what was counted in units of its last digit."""
    prints: dict[Printed, set[int]] = {}
    for number, value in tried:
        prints.setdefault(number, set()).add(value)
    return min(1.0, sum(share(each, number.last_digits) for number, each in prints.items()))


def solve(kind: str, number: Printed, parts: Sequence[_Part]) -> Finding:
    """The plainest trial that fits. Its chance counts all that are at least as plain."""
    trials = sorted(_trials(kind, number, parts), key=lambda t: t.steps)
    hit = next((t for t in trials if t.fits), None)
    if hit is None:
        return Finding(Verdict.UNEXPLAINED, _nearest(number, trials))
    tried = [t for t in trials if t.steps <= hit.steps]
    chance = _chance((t.number, t.rule.prints(t.number, t.part.counts)) for t in tried)
    value, digits = hit.rule.value(hit.part.counts), hit.number.digits
    if hit.part.is_all and hit.part.is_traced and hit.rule.counts_like(_plain(kind)):
        exact = number.amount(1000) == value
        cause = None if exact else Rounded(hit.rule.rounding, digits)
        return _judged(Verdict.EXACT if exact else Verdict.ROUNDED, cause, chance)
    cause = OtherReading(hit.part.name, value, hit.rule, digits)
    return _judged(Verdict.EXPLAINED, cause, chance)


def _judged(verdict: Verdict, cause: Cause | None, chance: float) -> Finding:
    """A finding, which is weak evidence where a wrong number would have fitted too often."""
    return Finding(verdict if chance <= LIMIT else Verdict.WEAK, cause, chance)


def _plain(kind: str) -> Rule:
    """One op a multiply-add; all params, with biases and norms; K = 1000, rounded."""
    return next(
        r
        for r in RULES[kind]
        if (r.base, r.rounding, r.factor) == (1000, "rounded", 1)
        and (r.norm if kind == "params" else not r.bias)
    )


def _trials(kind: str, number: Printed, parts: Sequence[_Part]) -> Iterator[_Trial]:
    """Every part under every rule and every reading of the number; nobody counts billions by
    1024."""
    plain = _plain(kind)
    for part, rule, reading in product(parts, RULES[kind], number.readings):
        if rule.base != plain.base and number.power > 2:
            continue
        differences = (
            not part.is_all,
            rule.factor != plain.factor,
            rule.base != plain.base,
            rule.bias != plain.bias,
            rule.norm != plain.norm,
            reading != number,
        )
        steps = 2 * sum(differences) + (rule.rounding != plain.rounding)
        yield _Trial(part, rule, reading, steps)


def _nearest(number: Printed, trials: Sequence[_Trial]) -> NoConvention:
    """What comes nearest of the whole network's counts."""
    whole = [t for t in trials if t.part.is_all]

    def off(trial: _Trial) -> float:
        value = trial.rule.value(trial.part.counts)
        return number.amount(trial.rule.base) / value - 1 if value else float("inf")

    nearest = min(whole, key=lambda t: abs(off(t)))
    return NoConvention(nearest.rule, off(nearest))
