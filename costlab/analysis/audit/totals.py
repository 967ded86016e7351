"""Published totals against a trace, under readings of "the network" that are found by trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...cost import total
from ...graph import Node, layer_graph
from ...trace import Trace
from .causes import Cause, Finding, NoConvention, OtherReading, Rounded, TwoDigits, Verdict
from .cells import CUT_OFF, ROUNDINGS, Printed
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
    """A part counted under a rule. `steps`: how far it is from the plain count (all layers,
    K = 1000, one op a multiply-add, all params, rounded): two for each difference, one for the
    rounding, which a reader minds least."""

    part: _Part
    rule: Rule
    steps: int


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
    found = []
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
    """A printed number of neurons, of which two digits count: 650K."""
    finding = Finding(Verdict.UNEXPLAINED)
    cut: list[int] = []
    digits = number.last_digits / 10.0 ** (len(str(number.last_digits)) - 2)
    for rounding, cut_off in ROUNDINGS.items():
        value = cut_off(exact / 10 ** (len(str(exact)) - 2))
        cut.append(value)
        if digits == value and abs(number.amount(1000) / exact - 1) <= CUT_OFF:
            finding = _judged(Verdict.ROUNDED, TwoDigits(rounding), share(cut, value))
            break
    return Cell("total", "neurons", number.text, exact, finding, number, where=where)


def solve(kind: str, number: Printed, parts: Sequence[_Part]) -> Finding:
    """The plainest trial that fits. Its chance counts all that are at least as plain."""
    trials = sorted(_trials(kind, number, parts), key=lambda t: t.steps)
    hit = next((t for t in trials if t.rule.fits(number, t.part.counts)), None)
    if hit is None:
        return Finding(Verdict.UNEXPLAINED, _nearest(number, trials))
    tried = [t for t in trials if t.steps <= hit.steps]
    prints = (t.rule.prints(number, t.part.counts) for t in tried)
    chance = share(prints, number.last_digits)
    value = hit.rule.value(hit.part.counts)
    if hit.part.is_all and hit.part.is_traced and hit.rule.counts_like(_plain(kind)):
        exact = number.amount(1000) == value
        cause = None if exact else Rounded(hit.rule.rounding)
        return _judged(Verdict.EXACT if exact else Verdict.ROUNDED, cause, chance)
    return _judged(Verdict.EXPLAINED, OtherReading(hit.part.name, value, hit.rule), chance)


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
    """Every part under every rule; nobody counts billions by 1024."""
    plain = _plain(kind)
    for part in parts:
        for rule in RULES[kind]:
            if rule.base != plain.base and number.power > 2:
                continue
            differences = (
                not part.is_all,
                rule.factor != plain.factor,
                rule.base != plain.base,
                rule.bias != plain.bias,
                rule.norm != plain.norm,
            )
            yield _Trial(part, rule, 2 * sum(differences) + (rule.rounding != plain.rounding))


def _nearest(number: Printed, trials: Sequence[_Trial]) -> NoConvention:
    """What comes nearest of the whole network's counts."""
    whole = [t for t in trials if t.part.is_all]

    def off(trial: _Trial) -> float:
        value = trial.rule.value(trial.part.counts)
        return number.amount(trial.rule.base) / value - 1 if value else float("inf")

    nearest = min(whole, key=lambda t: abs(off(t)))
    return NoConvention(nearest.rule, off(nearest))
