"""Recurrent layers of a trace, and loops over time, which a diagram draws as boxes with all their
steps.

A recurrent layer is a module without submodules that applies the weights of a recurrent cell, and
no others, more than once. A single step does not tell; there torch's own classes do. A loop is over
time where each step takes an input of its own, or applies a recurrent cell."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...graph import WEIGHTED, Node
from ...graph.depth import cell_weights
from ...trace.record import Op, Trace
from .loops import Loop, loops

_CLASSES = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")  # of torch.nn


@dataclass(frozen=True)
class Step:
    """Where an operation of a loop stands: its loop, the step, and the position in the step."""

    loop: Loop
    number: int
    position: int


@dataclass(frozen=True)
class Recurrence:
    """`modules`: those that are recurrent layers, `of_op`: where an operation stands in a loop, by
    its identity."""

    modules: frozenset[str]
    of_op: dict[int, Step]

    def step(self, op: Op) -> Step | None:
        """Where an operation stands in a loop; None outside of loops."""
        return self.of_op.get(id(op))

    def layer_of(self, op: Op) -> tuple[str, int] | None:
        """The recurrent layer that an operation is part of: its module, and the call where one call
        runs all steps; None where it is part of none."""
        if op.module not in self.modules:
            return None
        step = self.step(op)
        return op.module, -1 - step.loop.start if step else op.call


def recurrence(trace: Trace, nodes: Sequence[Node]) -> Recurrence:
    """The recurrent layers and loops of a trace whose layers are `nodes`."""
    in_cells = cell_weights(nodes)
    of_class = {op.module for op in trace.forward if op.module_type in _CLASSES}
    modules = frozenset(of_class | _by_weights(trace, nodes, in_cells))
    cells = {id(op) for op, node in _with_weights(nodes) if node.weights in in_cells}
    found: dict[int, Step] = {}
    for loop in loops(trace):
        if _over_time(loop, modules, cells):
            found |= {id(op): Step(loop, number, place) for op, number, place in loop.places()}
    return Recurrence(modules, found)


def _over_time(loop: Loop, modules: frozenset[str], cells: set[int]) -> bool:
    """Whether a loop is over the steps of a sequence, and no recurrent layer runs all of it."""
    pairs = zip(loop.step(0), loop.step(1), strict=False)
    inside = any(a.module in modules and a.call == b.call for a, b in pairs)
    if inside or steps_of(op for op in loop.step(0) if op.module in modules) > 1:
        return False
    cell = any(op.module in modules or id(op) in cells for op in loop.step(0))
    return cell or loop.takes_input


def steps_of(ops: Iterable[Op]) -> int:
    """The most often that one weight is multiplied."""
    used: Counter[tuple[int, ...]] = Counter()
    prepared: dict[int, tuple[int, ...]] = {}  # the params that a tensor is a view of
    for op in ops:
        if op.name in ("aten.addmm", "aten.mm", "aten.linear") and op.inputs:
            weight = op.inputs[-1]
            used[op.params or prepared.get(weight) or (weight,)] += 1
        elif op.params:
            prepared.update(dict.fromkeys(op.outputs, op.params))
    return max(used.values(), default=1)


def _by_weights(
    trace: Trace, nodes: Sequence[Node], in_cells: dict[frozenset[int], frozenset[int]]
) -> set[str]:
    """Modules without submodules that apply all weights of recurrent cells, and no others, more
    than once."""
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
        and all(in_cells[weights] <= frozenset().union(*used) for weights in used)
        and max(used.values()) > 1
        and not any(_within(other, module) for other in ran)
    }


def _with_weights(nodes: Iterable[Node]) -> Iterator[tuple[Op, Node]]:
    """Layers that apply weights, each after its operation."""
    for node in nodes:
        if node.op and node.kind in WEIGHTED and node.weights:
            yield node.op, node


def _within(module: str, outer: str) -> bool:
    """Whether a module is a submodule of another one, at any depth."""
    return module != outer and (not outer or module.startswith(f"{outer}."))
