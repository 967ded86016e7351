"""Depth as the papers count it: layers with weights on the longest path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from .node import WEIGHTED, Node


def longest(
    members: Sequence[Node], counts: Callable[[Node], bool] = lambda n: n.kind in WEIGHTED
) -> int:
    """Layers on the longest path through `members` (in execution order) for which `counts` is true:
    by default those with weights, which is what the papers call depth. The time steps of a
    recurrent layer are one layer."""
    again = _further_steps(members)
    best: dict[int, int] = {}
    for n in members:
        own = bool(counts(n)) and n.index not in again
        best[n.index] = max((best.get(p, 0) for p in n.preds), default=0) + own
    return max(best.values(), default=0)


def _further_steps(members: Sequence[Node]) -> frozenset[int]:
    """Nodes that apply the weights of a recurrent layer again: all but the first of a cell, and of
    one call of a module those that apply weights a second time. Where that layer has weights that
    it applies once, to the whole sequence, all its steps are with those."""
    cells = cell_weights(members)
    steps: dict[frozenset[int], list[int]] = {}
    calls: dict[tuple[str, int], dict[frozenset[int], list[int]]] = {}
    for n in members:
        if not n.op or n.kind not in WEIGHTED or not n.weights:
            continue
        if n.weights in cells:
            steps.setdefault(cells[n.weights], []).append(n.index)
        else:
            uses = calls.setdefault((n.op.module, n.op.call), {})
            uses.setdefault(n.weights, []).append(n.index)
    found: list[int] = [i for indices in steps.values() for i in sorted(indices)[1:]]
    for uses in calls.values():
        again = sorted(i for indices in uses.values() if len(indices) > 1 for i in indices)
        once = any(len(indices) == 1 for indices in uses.values())
        found += again if once else again[1:]
    return frozenset(found)


def cell_weights(members: Sequence[Node]) -> dict[frozenset[int], frozenset[int]]:
    """The weights of recurrent cells, each with all of its cell. A cell adds a product of its input
    and one of its state (Elman 1990; Hochreiter and Schmidhuber 1997), and does so again."""
    by_index = {n.index: n for n in members}
    applied = Counter(n.weights for n in members if n.kind in WEIGHTED)
    found: dict[frozenset[int], frozenset[int]] = {}
    for join in members:
        if join.kind != "join" or len(join.preds) != 2:
            continue
        added = [by_index.get(p) for p in join.preds]
        products = [n for n in added if n and n.kind in WEIGHTED and n.weights]
        if len(products) == 2 and products[0].preds != products[1].preds:
            earlier, later = sorted(products, key=lambda n: n.index)
            one, other = (n.weights for n in products)
            follows = _dominates(earlier, later, by_index)
            if _module(earlier) != _module(later) and follows:
                continue  # a skip from a layer to the end of what reads it
            if applied[one] == applied[other] == 1 and not follows:
                continue  # a projection beside a block; a step without another has no state
            if one != other:
                found[one] = found[other] = one | other
    return found


def _dominates(earlier: Node, later: Node, by_index: Mapping[int, Node]) -> bool:
    """Whether all that the later node reads goes through the earlier one."""
    node: Node | None = later
    while node and node.index > earlier.index:
        node = by_index.get(node.idom)
    return node is not None and node.index == earlier.index


def _module(node: Node) -> str | None:
    return node.op.module if node.op else None
