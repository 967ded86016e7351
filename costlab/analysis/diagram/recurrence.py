"""Recurrent layers of a trace, which a diagram draws as one box each with all their steps.

A module without submodules is one where it applies the weights of a recurrent cell, and no others,
more than once. A single step does not tell; there torch's own classes do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...graph import WEIGHTED, Node
from ...graph.depth import cell_weights
from ...trace.record import Op, Trace

_CLASSES = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")  # of torch.nn


@dataclass(frozen=True)
class Recurrence:
    """Modules that are recurrent layers; `cells`: those of which each call is a step of a loop that
    the model runs. A call of another one runs all steps."""

    modules: frozenset[str]
    cells: frozenset[str]

    def layer_of(self, op: Op) -> tuple[str, int] | None:
        """The recurrent layer that an operation is part of: its module, and the call unless it is a
        cell; None where it is part of none."""
        if op.module not in self.modules:
            return None
        return op.module, -1 if op.module in self.cells else op.call


def recurrence(trace: Trace, nodes: Sequence[Node]) -> Recurrence:
    """The recurrent layers of a trace whose layers are `nodes`."""
    of_class = {op.module for op in trace.forward if op.module_type in _CLASSES}
    modules = frozenset(of_class | _by_weights(trace, nodes))
    cells = (m for m in modules if _single_steps(m, nodes) and _chained(m, trace.forward))
    return Recurrence(modules, frozenset(cells))


def _by_weights(trace: Trace, nodes: Sequence[Node]) -> set[str]:
    """Modules without submodules that apply the weights of recurrent cells, and no others, more
    than once."""
    in_cells = cell_weights(nodes)
    if not in_cells:
        return set()
    uses: dict[str, Counter[frozenset[int]]] = defaultdict(Counter)
    for op, node in _with_weights(nodes):
        uses[op.module][node.weights] += 1
    ran = {op.module for op in trace.forward}
    return {
        module
        for module, used in uses.items()
        if used.keys() <= in_cells.keys()
        and max(used.values()) > 1
        and not any(_within(other, module) for other in ran)
    }


def _single_steps(module: str, nodes: Sequence[Node]) -> bool:
    """Whether each call of a module applies each of its weights once."""
    uses = Counter(
        (op.call, node.weights) for op, node in _with_weights(nodes) if op.module == module
    )
    return max(uses.values(), default=1) == 1


def _chained(module: str, ops: Iterable[Op]) -> bool:
    """Whether a later call of a module depends on what its first one gave."""
    first: int | None = None
    after: set[int] = set()  # tensors that depend on the first call
    for op in ops:
        inside = op.module == module
        if inside and first is None:
            first = op.call
        depends = not after.isdisjoint(op.inputs)
        if inside and op.call != first and depends:
            return True
        if depends or (inside and op.call == first):
            after.update(op.outputs)
    return False


def _with_weights(nodes: Iterable[Node]) -> Iterator[tuple[Op, Node]]:
    """Layers that apply weights, each after its operation."""
    for node in nodes:
        if node.op and node.kind in WEIGHTED and node.weights:
            yield node.op, node


def _within(module: str, outer: str) -> bool:
    """Whether a module is a submodule of another one, at any depth."""
    return module != outer and (not outer or module.startswith(f"{outer}."))
