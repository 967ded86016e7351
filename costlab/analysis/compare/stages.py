"""The stages of a network: its layers by the stride of the grid that they work on."""

from __future__ import annotations

from math import inf, log2, prod

from ...cost import total
from ...graph import WEIGHTED, Node, layer_graph, layouts, longest
from ...trace import Trace
from .result import Stage


def stages(trace: Trace) -> tuple[Stage, ...]:
    """The stages of a network, in order of stride; parameters are counted where they are used
    first."""
    nodes = layer_graph(trace)
    groups: dict[int, list[Node]] = {}
    for n, stride in zip(nodes, _strides(trace, nodes), strict=True):
        groups.setdefault(stride, []).append(n)
    found: list[Stage] = []
    seen: set[int] = set()
    for stride in sorted(groups, key=_by_stride):
        members = groups[stride]
        ops = [op for n in members for op in n.ops]
        t = total(trace, ops)
        fresh = {p for op in ops for p in op.params} - seen
        seen |= fresh
        weighted = [n for n in members if n.kind in WEIGHTED]
        if weighted or t.macs or fresh:
            grids = dict.fromkeys(n.layout.grid for n in weighted) if stride else {}
            params = sum(trace.params[p].numel for p in fresh)
            found.append(
                Stage(stride, tuple(grids), params, t.macs, t.activations, longest(members))
            )
    return tuple(found)


def _by_stride(stride: int) -> float:
    return stride or inf  # the head comes last


def _strides(trace: Trace, nodes: tuple[Node, ...]) -> list[int]:
    """The stride of each node; what works on one position and leads back to a grid
    (squeeze-and-excitation) is of that grid's."""
    found = [_stride(trace, n) for n in nodes]
    for n in reversed(nodes):
        for p in n.preds:
            if nodes[p].op and not found[p]:
                found[p] = found[n.index]
    return found


def _stride(trace: Trace, node: Node) -> int:
    """Input positions a side for each position of the layer's grid, to the nearest power of two; 1
    for what is done to the input, 0 where one position is left. Tokens count as the square grid of
    as many."""
    if node.op is None:
        return 1
    before, after = (prod(x.grid) for x in (layouts(trace)[trace.inputs[0]], node.layout))
    if after <= 1 or before <= 1:
        return 0
    sides = max(len(layouts(trace)[trace.inputs[0]].grid), 1)
    return 2 ** max(0, round(log2(before / after) / sides))
