"""Published totals against a trace, under readings of "the network" that are found by trial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor

from ...cost import total
from ...graph import Node, layer_graph
from ...trace import Trace
from .causes import Finding, OtherReading, Rounded, TwoDigits, Verdict
from .cells import ROUNDINGS, Printed
from .conventions import RULES, Counts, Rule
from .result import Cell
from .verdicts import COARSE

_ALL = "all layers"


@dataclass(frozen=True)
class _Part:
    """The layers that a total may be of, and their counts; biases include norm scales."""

    name: str
    counts: Counts


def audit_totals(trace: Trace, printed: Iterable[Mapping[str, str]]) -> tuple[Cell, ...]:
    """Check published totals: rows with `quantity` (params, ops, neurons), `printed`, `where`.

    Raises ValueError for a number that cannot be read."""
    parts = _parts(trace)
    found = []
    for line in printed:
        number = Printed.parse(line["printed"])
        if number is None:
            continue
        if line["quantity"] == "neurons":
            found.append(_neurons(total(trace).activations, number))
        else:
            found.append(_count(line["quantity"], number, parts, line["where"]))
    return tuple(found)


def _parts(trace: Trace) -> tuple[_Part, ...]:
    """All layers, the convolutions alone, all but the classifier."""
    nodes = layer_graph(trace)
    last = next((n for n in reversed(nodes) if n.kind == "linear"), None)

    def part(name: str, chosen: Sequence[Node]):
        whole = total(trace, [op for n in chosen for op in n.ops])
        return _Part(name, Counts(whole.weights, whole.params - whole.weights, whole.macs))

    return (
        part(_ALL, nodes),
        part("convolutions alone", [n for n in nodes if n.kind != "linear"]),
        part("without the classifier", [n for n in nodes if n is not last]),
    )


def _neurons(exact: int, number: Printed) -> Cell:
    """A printed number of neurons has two digits."""
    cut = {"rounded": round(exact, -4)}
    for rounding in ROUNDINGS:
        value = cut.get(rounding, floor(exact / 1e4) * 1e4)
        if number.fits(value, 1000, "rounded"):
            finding = Finding(Verdict.ROUNDED, TwoDigits(rounding))
            break
    else:
        finding = Finding(Verdict.UNEXPLAINED)
    return Cell("total", "neurons", number.text, exact, finding, number)


def _count(kind: str, number: Printed, parts: Sequence[_Part], where: str) -> Cell:
    whole = parts[0].counts
    value = whole.macs if kind == "ops" else whole.weights + whole.biases
    finding = _solve(kind, number, parts)
    return Cell("total", kind, number.text, value, finding, number, where=where)


def _solve(kind: str, number: Printed, parts: Sequence[_Part]) -> Finding:
    """The first part and the plainest rule that fit: one op a multiply-add, K = 1000, biases."""
    rules = sorted(
        (r for r in RULES[kind] if r.base == 1000 or number.power < 3),
        key=lambda r: (r.factor, r.base != 1000, not r.bias),
    )
    for part in parts:
        rule = next((r for r in rules if r.fits(number, part.counts, COARSE)), None)
        if rule is None:
            continue
        if part.name == _ALL and _is_plain(rule) and rule.fits(number, part.counts):
            return Finding(Verdict.ROUNDED, Rounded(rule.rounding))
        reading = OtherReading(part.name, rule.value(part.counts), rule)
        return Finding(Verdict.EXPLAINED, reading)
    return Finding(Verdict.UNEXPLAINED)


def _is_plain(rule: Rule) -> bool:
    return rule.base == 1000 and rule.factor == 1
