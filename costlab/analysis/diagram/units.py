"""What a diagram draws as one box each: layers, the norms and activations that do not follow a
convolution at once, recurrent layers with all their steps, inputs and outputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ...graph import WEIGHTED, Node, layer_graph
from ...graph.layers import READS_SHAPES, viewed
from ...graph.layout import layouts
from ...trace.cached import once_per_trace
from ...trace.record import Op, Trace
from . import names
from .recurrence import Step, recurrence, steps_of

_PART_OF = ("batch norm",)  # of the convolution that it follows


@dataclass
class Unit:
    """One box to be. `nodes`: the layers that it stands for; `own`: the last operation that its
    size is of; `inside`: what runs in it and is not in its name; `looped`: a loop over time runs it
    at each of its steps."""

    index: int
    kind: str
    text: str
    nodes: list[int]
    ops: list[Op] = field(default_factory=list)
    own: Op | None = None
    tensor: int = -1
    steps: int = 1
    inside: list[str] = field(default_factory=list)
    looped: bool = False


@dataclass(frozen=True)
class Units:
    """All units of a trace: `of_node` lists those of a layer in order, `edges` hold the tensor that
    goes from one to the other, `readers` who reads what a unit makes."""

    trace: Trace
    all: tuple[Unit, ...]
    of_node: dict[int, list[int]]
    edges: dict[tuple[int, int], int]
    readers: dict[int, set[int]]

    def size(self, tensor: int) -> str:
        """The size of a tensor without the batch."""
        return layouts(self.trace)[tensor].size if tensor >= 0 else ""


@once_per_trace
def units(trace: Trace) -> Units:
    """The units of a trace, worked out once."""
    return _Finder(trace).found()


class _Finder:
    """Walks the layers in order."""

    def __init__(self, trace: Trace):
        self.trace, self.nodes = trace, layer_graph(trace)
        self.units: list[Unit] = []
        self.made: dict[int, int] = {}
        self.of_node: dict[int, list[int]] = {}
        self.edges: dict[tuple[int, int], int] = {}
        self.recurrence = recurrence(trace, self.nodes)
        self.recurrent: dict[tuple[str, int], int] = {}
        self.looped: dict[tuple[int, int], int] = {}  # of loops, by start and position in a step
        self.first_steps: list[tuple[Node, Op]] = []  # which wait for the second ones
        self.data = set(trace.inputs)  # tensors that depend on the input
        self.uses = Counter(i for op in trace.forward for i in dict.fromkeys(op.inputs))
        self.uses.update(trace.outputs)

    def found(self) -> Units:
        """Units and the edges between them."""
        self._inputs()
        for node in self.nodes:
            self.of_node.setdefault(node.index, [])
            own = False  # whether the layer's own operation is past
            waits = node.op is not None and self._waits(node.op)
            for op in node.ops:
                if waits or self._waits(op):
                    self.first_steps.append((node, op))
                else:
                    self._place(node, op, own or node.op is None)
                own = own or op is node.op
        for node, op in sorted(self.first_steps, key=lambda waiting: not self._waits(waiting[1])):
            self._place(node, op, after=False)
        self._settle_loops()
        self._settle_recurrent()
        readers: dict[int, set[int]] = {u.index: set() for u in self.units}
        for a, b in self.edges:
            readers[a].add(b)
        self._outputs(readers)
        return Units(self.trace, tuple(self.units), self.of_node, self.edges, readers)

    def _new(self, kind: str, text: str, node: int) -> Unit:
        unit = Unit(len(self.units), kind, text, [node])
        self.units.append(unit)
        self.of_node.setdefault(node, []).append(unit.index)
        return unit

    def _inputs(self) -> None:
        for i in self.trace.inputs:
            unit = self._new("input", "input", 0)
            unit.tensor = i
            self.made[i] = unit.index
        self.inputs = [u.index for u in self.units]

    # --- operations ---

    def _place(self, node: Node, op: Op, after: bool) -> None:
        """Puts an operation into its unit; `after` the layer's own, or before it."""
        step = self.recurrence.step(op)
        unit = self._recurrent(node, op) or self._in_another_step(node, step)
        if unit is None:
            unit = self._after(node, op) if after else self._own(node)
        if step:
            self.looped.setdefault((step.loop.start, step.position), unit.index)
        unit.ops.append(op)
        if not self.data.isdisjoint(op.inputs):
            self.data.update(op.outputs)
        for i in () if op.name in READS_SHAPES else op.inputs:
            source = self.made.get(i, unit.index)
            if source < unit.index and not (step and step.loop.carries_over(i, step.number)):
                self.edges.setdefault((source, unit.index), i)
        for o in op.outputs:
            self.made[o] = unit.index

    def _waits(self, op: Op) -> bool:
        """Whether an operation is of the first step of a loop: that is drawn like the second one,
        which reads a state that a step made."""
        step = self.recurrence.step(op)
        return step is not None and not step.number and not self.recurrence.layer_of(op)

    def _recurrent(self, node: Node, op: Op) -> Unit | None:
        """The unit of a recurrent layer; None for an operation of none."""
        layer = self.recurrence.layer_of(op)
        if layer is None:
            return None
        if layer not in self.recurrent:
            self.recurrent[layer] = self._new("recurrent", op.module_type, node.index).index
        unit = self._also_of(self.units[self.recurrent[layer]], node)
        unit.own = op
        return unit

    def _in_another_step(self, node: Node, step: Step | None) -> Unit | None:
        """The unit of an operation of a loop that has one from another step."""
        index = self.looped.get((step.loop.start, step.position)) if step else None
        return None if index is None else self._also_of(self.units[index], node)

    def _also_of(self, unit: Unit, node: Node) -> Unit:
        """A unit that stands for a further layer."""
        if node.index not in unit.nodes:
            unit.nodes.append(node.index)
        if unit.index not in self.of_node[node.index]:
            self.of_node[node.index].append(unit.index)
        return unit

    def _own(self, node: Node) -> Unit:
        """The unit of the layer itself, for its operation and what is prepared for it."""
        mine = self.of_node[node.index]
        unit = self.units[mine[0]] if mine else self._new(node.kind, names.layer(node), node.index)
        unit.tensor, unit.own = viewed(node), node.op
        return unit

    def _after(self, node: Node, op: Op) -> Unit:
        """The unit of an operation that follows a layer."""
        before = self._before(node, op)
        norm, act = names.norm(op), names.activation(op)
        if (not norm and not act) or self.data.isdisjoint(op.inputs):
            return before  # what is worked out of params and constants alone is prepared
        if before.own and names.norm(op) and _same_call(before.own, op):
            before.tensor = op.outputs[0] if op.outputs else before.tensor
            return before  # a further operation of the same norm
        if before.kind in (*WEIGHTED, "recurrent") and (not norm or norm in _PART_OF):
            if (norm or act) not in before.inside:
                before.inside.append(norm or act)
            return before
        if before.kind in ("norm", "join") and act and not norm and self._alone(op):
            before.text += f", {act}"
            before.tensor = op.outputs[0] if op.outputs else before.tensor
            return before
        unit = self._new("norm" if norm else "activation", norm or act, node.index)
        unit.own, unit.tensor = op, op.outputs[0] if op.outputs else -1
        return unit

    def _before(self, node: Node, op: Op) -> Unit:
        """The unit of this layer that makes what the operation reads; the last one where several
        do."""
        mine = set(self.of_node[node.index])
        makers = [self.made[i] for i in op.inputs if i in self.made and self.made[i] in mine]
        if makers:
            return self.units[max(makers)]
        if mine:
            return self.units[max(mine)]
        return self._new(node.kind, names.layer(node), node.index)

    def _alone(self, op: Op) -> bool:
        """Whether nothing else reads what an operation reads."""
        return all(self.uses[i] == 1 for i in op.inputs)

    # --- sizes and outputs ---

    def _settle_loops(self) -> None:
        """How often a loop runs each layer in it."""
        for unit in self.units:
            step = self.recurrence.step(unit.own) if unit.own else None
            unit.looped = step is not None
            if step and unit.kind != "recurrent":
                unit.steps = step.loop.times(step.position)

    def _settle_recurrent(self) -> None:
        """How many steps a recurrent layer takes, and what it gives: the output of the network that
        it makes first, otherwise the largest tensor that its module gives to another."""
        read = {i for op in self.trace.forward for i in op.inputs}
        for index in self.recurrent.values():
            unit = self.units[index]
            unit.steps = steps_of(unit.ops)
            out = [o for op in unit.ops for o in op.outputs]
            given = [o for o in self.trace.outputs if o in out]
            inside = {i for op in unit.ops for i in op.inputs}
            passed = [o for o in out if (o in read and o not in inside) or o in given] or out
            largest = max(passed, key=lambda o: self.trace.tensors[o].numel)
            unit.tensor = given[0] if given else largest

    def _outputs(self, readers: dict[int, set[int]]) -> None:
        """A box for each output that nothing else reads."""
        without_ops = {u.index for u in self.units if not u.ops}
        for i in dict.fromkeys(self.trace.outputs):
            source = self.made.get(i)
            if source is None or readers[source] - without_ops:
                continue
            if self.units[source].kind == "input":
                continue
            unit = self._new("output", "output", self.units[source].nodes[-1])
            unit.tensor = i
            without_ops.add(unit.index)
            self.edges[source, unit.index] = i
            readers[source].add(unit.index)
            readers[unit.index] = set()


def _same_call(a: Op, b: Op) -> bool:
    return (a.module, a.call) == (b.module, b.call) and bool(names.norm(a))
