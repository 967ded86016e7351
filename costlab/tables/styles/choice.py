"""The registry of styles, and which of them reads best for a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...cost import cost_of
from ...graph import Node
from ...trace.record import Trace
from ..groups import Group
from . import layers, paper, resnet
from .modules import Depth

_MOST_ROWS = 40  # a style that takes more shows nothing at a glance


@dataclass(frozen=True)
class Style:
    """A way to make rows of a trace.

    Attributes:
        rows: (trace, nodes, depth, merge) -> groups of layers in execution order. `depth` and
            `merge` are for the layers style.
        typical: (trace, nodes) -> indices of the layers that the style is made for. "auto" takes
            the style where most of the model is there. None: the style takes every model.
    """

    rows: Callable[[Trace, Sequence[Node], Depth, bool], Iterable[Group]]
    typical: Callable[[Trace, Sequence[Node]], set[int]] | None = None


# "auto" tries them in this order; the last one takes every model
STYLES = {
    "paper": Style(paper.rows, paper.typical),
    "resnet": Style(resnet.rows, resnet.typical),
    "layers": Style(layers.rows),
}


def choose_style(trace: Trace, nodes: Sequence[Node]) -> str:
    """The first style for which most convolutions or MACs are in the layers that it is made for
    (forks that meet in a concatenation, residual blocks), at least a quarter of the MACs is there,
    and the rows can be read; otherwise "layers". Integer MACs count as others do, so that a
    quantized network has the style of the network that it comes from."""
    costs = {n.index: cost_of(trace, n.op) for n in nodes if n.op}
    macs = {i: cost.macs + cost.integer_macs for i, cost in costs.items()}
    convolutions = {n.index for n in nodes if n.kind == "conv"}
    for name, style in STYLES.items():
        if style.typical is None:
            return name
        inside = style.typical(trace, nodes)
        if _prevails(inside, convolutions, macs) and _reads(style, trace, nodes):
            return name
    raise AssertionError("the last style takes every model")


def _prevails(inside: set[int], convolutions: set[int], macs: dict[int, int]) -> bool:
    """Whether most convolutions or MACs are `inside`, and at least a quarter of the MACs."""
    whole, there = sum(macs.values()), sum(macs.get(i, 0) for i in inside)
    most = 2 * len(convolutions & inside) > len(convolutions) or 2 * there > whole
    return bool(convolutions) and most and 4 * there > whole


def _reads(style: Style, trace: Trace, nodes: Sequence[Node]) -> bool:
    """Whether the table can be taken in at a glance, and says what each row is."""
    rows = list(style.rows(trace, nodes, None, True))
    return len(rows) <= _MOST_ROWS and all(r.cells.get("layers") != "join" for r in rows)
