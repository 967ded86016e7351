"""Groups of layers counted into rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ..cost import Convention, Total, is_weight, total
from ..predict import prediction_of
from ..trace.record import Op, Trace
from .columns import COLUMNS
from .groups import Group
from .predicted import predicted_cells
from .result import Row


class RowCounter:
    """Counts the groups of one trace, in order.

    Attributes:
        used: indices of the parameters that the rows so far use.
    """

    def __init__(self, trace: Trace, convention: Convention, added: Sequence[str]):
        self.used: set[int] = set()
        self._trace, self._convention, self._added = trace, convention, added
        self._integers = bool(total(trace).integer_macs)
        self._index = {id(op): i for i, op in enumerate(trace.ops)}
        self._gradients = _gradients(trace)
        self._seconds = _seconds(trace)
        self._prediction = prediction_of(trace)
        self._named: Counter[str] = Counter()

    def rows(self, groups: Iterable[Group], *, drop_input: bool) -> Iterator[Row]:
        """A row for each group; with `drop_input`, none for what is done to the input before the
        first layer, unless it costs something."""
        for group in groups:
            params = self._params(group)
            cost = total(self._trace, group.ops)
            layers = any(n.op for n in group.nodes)
            if layers or not drop_input or params or cost.macs or cost.integer_macs:
                yield self._row(group, params, cost)

    def _params(self, group: Group) -> int:
        """Elements of the params that the group is the first to use."""
        fresh = {p for op in group.ops for p in op.params} - self.used
        self.used |= fresh
        counted = (p for p in fresh if self._convention.bias or is_weight(self._trace, p))
        return sum(self._trace.params[p].numel for p in counted)

    def _row(self, group: Group, params: int, cost: Total) -> Row:
        indices = tuple(self._index[id(op)] for op in group.ops)
        extra = {key: COLUMNS[key].value(self._trace, group) for key in self._added}
        cells = {**group.cells, **extra, "params": params, "ops": cost.macs}
        if self._integers:
            cells["integer ops"] = cost.integer_macs
        if self._trace.trained:
            gradients = [op for i in indices for op in self._gradients.get(i, ())]
            cells["backward"] = total(self._trace, gradients).macs
        seconds = None
        if self._trace.measured:
            seconds = sum(self._seconds[i] for i in indices)
            cells["time"] = 1e3 * seconds
        if self._prediction:
            cells |= predicted_cells(self._prediction, self._prediction.over(indices))
        path = group.path or "model"
        nodes = tuple(n.index for n in group.nodes)
        name = self._id(path)
        return Row(name, cells, params, cost.macs, nodes, indices, seconds, path, group.part)

    def _id(self, path: str) -> str:
        """The path, with a number where rows before have the same."""
        self._named[path] += 1
        return path if self._named[path] == 1 else f"{path}-{self._named[path]}"


def _gradients(trace: Trace) -> dict[int, list[Op]]:
    """Index of a forward operation -> the operations of the backward pass that are its gradient."""
    found: dict[int, list[Op]] = {}
    for op in trace.backward:
        if op.of is not None:
            found.setdefault(op.of, []).append(op)
    return found


def _seconds(trace: Trace) -> list[float]:
    """Measured seconds of each operation; zeros where the trace is not measured."""
    found = [0.0] * len(trace.ops)
    for op in trace.measured.ops if trace.measured else ():
        if op.of >= 0:
            found[op.of] += op.seconds
    return found
