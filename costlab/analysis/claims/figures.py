"""The figures of a traced network, as expressions of a ledger see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from ...cost import Total, total
from ...graph import WEIGHTED, Node, layer_graph, longest
from ..._spelling import suggestion
from ...tables import Row, Table, table
from ...trace import Op, Trace
from .errors import LedgerError

_RELUS = ("aten.relu", "aten.relu_")
_LISTED = 12  # rows that an error names


class Figures:
    """The costs of a traced network, or of its layers `nodes` with operations `ops`.

    Every public attribute may be used in an expression."""

    def __init__(
        self, trace: Trace, ops: Sequence[Op] | None = None, nodes: Sequence[Node] | None = None
    ):
        self._trace = trace
        self._ops = ops
        self._nodes = nodes

    @cached_property
    def _graph(self) -> Sequence[Node]:
        return layer_graph(self._trace) if self._nodes is None else self._nodes

    @cached_property
    def _total(self) -> Total:
        return total(self._trace, self._ops)

    @cached_property
    def _table(self) -> Table:
        return table(self._trace, "auto", "macs")

    @property
    def macs(self) -> int:
        """Multiply-adds."""
        return self._total.macs

    @property
    def flops(self) -> int:
        """Floating-point operations."""
        return self._total.flops

    @property
    def params(self) -> int:
        """Parameter elements."""
        return self._total.params

    @property
    def weights(self) -> int:
        """Parameter elements without biases and norm scales."""
        return self._total.weights

    @property
    def biases(self) -> int:
        """Elements of biases and norm scales."""
        return self._total.params - self._total.weights

    @property
    def activations(self) -> int:
        """Output elements of convolutions and products."""
        return self._total.activations

    @property
    def out(self) -> tuple[int, ...]:
        """Shape of the last layer's output, without the batch."""
        return self._graph[-1].out_shape[1:]

    @property
    def size(self) -> str:
        """Size of the last layer's output as tables print it: grid, then channels."""
        channels, *grid = self.out
        return "x".join(map(str, (*grid, channels)))

    @property
    def relus(self) -> int:
        """How many times a ReLU runs."""
        ops = self._trace.ops if self._ops is None else self._ops
        return sum(op.name in _RELUS for op in ops)

    @property
    def depth(self) -> int:
        """Layers with weights on the longest path."""
        return longest(self._graph)

    @property
    def depth_with_pools(self) -> int:
        """As depth, with pooling layers."""
        return longest(self._graph, lambda n: n.kind in WEIGHTED or n.kind.endswith("pool"))

    @property
    def receptive_field(self) -> float:
        """Input pixels a side that the last layer sees."""
        field = self._graph[-1].field
        if not field:
            raise LedgerError("the last layer has no receptive field")
        return max(field)

    @property
    def pointwise(self) -> Figures:
        """The 1x1 convolutions."""
        return self._of(lambda n: n.pointwise)

    def _of(self, keep: Callable[[Node], bool]) -> Figures:
        return self._part([n for n in self._graph if keep(n)])

    def _part(self, nodes: Sequence[Node]) -> Figures:
        return Figures(self._trace, [op for n in nodes for op in n.ops], nodes)

    def kind(self, name: str) -> Figures:
        """The layers of one kind: conv, linear, max pool, avg pool."""
        return self._of(lambda n: n.kind == name)

    def kernels(self, k: int) -> Figures:
        """The convolutions with a k x k kernel."""
        return self._of(lambda n: n.kind == "conv" and set(n.kernel) == {k})

    def part(self, path: str) -> Figures:
        """The layers under a module path. Raises LedgerError where there is none."""
        found = self._of(lambda n: n.op is not None and (n.op.module + ".").startswith(path + "."))
        if not found._graph:
            raise LedgerError(f"no layer under {path!r}")
        return found

    @property
    def count(self) -> int:
        """How many layers."""
        return len(self._graph)

    def row(self, label: str) -> Figures:
        """A row of the network's table by its type, name or id. Raises LedgerError."""
        return self._part([self._graph[i] for i in self._row(label).nodes])

    def _row(self, label: str) -> Row:
        names: dict[str, Row] = {}
        for row in self._table.rows:
            keys = ("type", "name", "layer name", "layers")
            for name in filter(None, (row.id, *(row.cells.get(k) for k in keys))):
                names.setdefault(name, row)
        if label in names:
            return names[label]
        listed = ", ".join(row.id for row in self._table.rows[:_LISTED])
        hint = suggestion(label, names) or f"; there are {listed}"
        raise LedgerError(f"no row {label!r}{hint}")

    def cell(self, label: str, column: str) -> Any:
        """A cell of the network's table. Raises LedgerError for an unknown row or column."""
        cells = self._row(label).cells
        if column not in cells:
            raise LedgerError(f"row {label!r} has no {column!r}")
        return cells[column]

    @property
    def widths(self) -> tuple[int, ...]:
        """Output channels of the rows that are forks."""
        last = [self._graph[max(row.nodes)] for row in self._table.rows]
        return tuple(n.out_shape[1] for n in last if n.kind == "cat")

    @property
    def input(self) -> tuple[int, ...]:
        """Shape of the network's input, without the batch."""
        return self._trace.tensors[self._trace.inputs[0]].shape[1:]

    @property
    def grids(self) -> tuple[int, ...]:
        """The side of the output, layer by layer, where it is a grid."""
        return tuple(n.out_shape[2] for n in self._graph if len(n.out_shape) == 4)
