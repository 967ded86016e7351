"""Depth as the papers count it: layers with weights on the longest path."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    """Nodes that apply the weights of a recurrent layer again: those of one call of a module, or of
    a cell in any call. Where the layer has weights that it applies once, to the whole sequence, all
    its steps are with those."""
    calls: dict[tuple[str, int], dict[frozenset[int], list[int]]] = {}
    for n in members:
        if n.op and n.kind in WEIGHTED and n.weights:
            call = -1 if n.op.module_type.endswith("Cell") else n.op.call
            uses = calls.setdefault((n.op.module, call), {})
            uses.setdefault(n.weights, []).append(n.index)
    found: list[int] = []
    for uses in calls.values():
        again = sorted(i for indices in uses.values() if len(indices) > 1 for i in indices)
        once = any(len(indices) == 1 for indices in uses.values())
        found += again if once else again[1:]
    return frozenset(found)
