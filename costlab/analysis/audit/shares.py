"""Printed shares of a network's cost by kind of layer, against its trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...cost import total
from ...graph import Node, layer_graph
from ...reference.printed import PrintedShares
from ...trace import Trace
from .causes import Finding, Rounded, Verdict
from .chance import LIMIT, share
from .result import Cell


def audit_shares(trace: Trace, printed: PrintedShares) -> tuple[Cell, ...]:
    """Check printed percentages, whose kinds of layers are called as `kind_of` calls them: of the
    multiply-adds, and of the weights.

    Raises ValueError for a text that is not a percentage."""
    counts: dict[str, Counter[str]] = {"ops": Counter(), "params": Counter()}
    for node in layer_graph(trace):
        cost = total(trace, node.ops)
        counts["ops"][kind_of(node)] += cost.macs
        counts["params"][kind_of(node)] += cost.weights
    return tuple(_cells(printed, counts))


def kind_of(node: Node) -> str:
    """The kind of a layer with its kernel: 3x3 depthwise convolution, linear."""
    if node.kind != "conv":
        return node.kind
    depthwise = "depthwise " if node.depthwise else ""
    return f"{'x'.join(map(str, node.kernel))} {depthwise}convolution"


def _cells(printed: PrintedShares, counts: dict[str, Counter[str]]) -> Iterator[Cell]:
    where = f"{printed.paper}, {printed.where}"
    for layers, shares in printed.rows.items():
        for quantity, text in shares.items():
            found = counts[quantity]
            exact = 100 * found[layers] / found.total()
            value, finding = _judge(text, exact)
            yield Cell(layers, f"share of {quantity}", text, value, finding, where=where)


def _judge(text: str, exact: float) -> tuple[str, Finding]:
    """The traced percentage in the printed digits, and whether it is the printed one."""
    digits = text.rstrip("%")
    decimals = len(digits.partition(".")[2])
    value = f"{exact:.{decimals}f}"
    if float(value) != float(digits):
        return f"{value}%", Finding(Verdict.UNEXPLAINED)
    units = round(float(digits) * 10**decimals)
    chance = share([units], units)
    verdict = Verdict.ROUNDED if chance <= LIMIT else Verdict.WEAK
    return f"{value}%", Finding(verdict, Rounded("rounded"), chance)
