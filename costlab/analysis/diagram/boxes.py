"""The boxes of a tree: what each is called, its costs, its size and its id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ...cost import Convention, total
from ...cost.roles import is_weight
from ...graph import layer_graph
from ...predict import prediction_of, spell_time
from ...tables import table
from ...tables.result import Row
from ...trace.cached import once_per_trace
from ...trace.record import Op, Trace
from . import notes
from .placement import Group
from .result import Box
from .tree import Tree
from .units import Unit, Units

_PATH = 22  # letters of a module path in a box
_WORDS = {"residual": "residual block", "attention": "attention", "concat": "branches"}


class Boxes:
    """The boxes of a tree; `order` has their names in the tree, `ids` their ids by name."""

    def __init__(self, trace: Trace, found: Units, nested: Tree, convention: Convention):
        self.convention = convention
        self.trace, self.found, self.nested = trace, found, nested
        self.nodes = layer_graph(trace)
        self._rows = _rows_by_node(trace)
        self.order = [n for n in nested.root.boxes() if n in nested.groups]
        self.ids = self._ids()
        self._seconds = _seconds(trace)
        self._prediction = prediction_of(trace)
        self._place = {id(op): i for i, op in enumerate(trace.ops)}

    def in_order(self) -> list[Box]:
        """In order of execution; each param in the first box that uses it."""
        used: set[int] = set()
        by_start = sorted(self.order, key=lambda n: min(self.nested.groups[n].units))
        return [self._box(name, self.nested.groups[name], used) for name in by_start]

    def _box(self, name: str, group: Group, used: set[int]) -> Box:
        members = [self.found.all[u] for u in group.units]
        ops = [op for unit in members for op in unit.ops]
        fresh = {p for op in ops for p in op.params} - used
        used |= fresh
        first, last = members[0], self._last(group)
        nodes = tuple(dict.fromkeys(n for unit in members for n in unit.nodes))
        single = group.alone
        return Box(
            id=self.ids[name],
            kind=first.kind if single else "recurrent" if group.name else "block",
            text=first.text if single else group.name or self._title(group),
            size=self.found.size(last.tensor),
            params=sum(self._elements(p) for p in fresh),
            macs=total(self.trace, ops).macs,
            times=group.times,
            steps=1 if group.block else max(unit.steps for unit in members),
            seconds=self._seconds(ops) if ops else None,
            predicted=self._predicted(ops) if ops else "",
            inside=", ".join(first.inside) if single else self._inside(members),
            nodes=nodes if first.kind not in ("input", "output") else (),
            units=tuple(group.units),
        )

    def _predicted(self, ops: Sequence[Op]) -> str:
        """The predicted time of operations; "" where there is none."""
        if self._prediction is None:
            return ""
        time = self._prediction.over(self._place[id(op)] for op in ops)
        return spell_time(self._prediction, time)

    def _elements(self, param: int) -> int:
        """Of a param, as far as the convention counts it."""
        counts = self.convention.bias or is_weight(self.trace, param)
        return self.trace.params[param].numel if counts else 0

    def _last(self, group: Group) -> Unit:
        """The unit whose output is the box's: in the order of execution the last one that another
        box reads."""
        mine = set(group.units)
        read = [u for u in group.units if self.found.readers[u] - mine]
        chosen = group.units[0] if group.alone else max(read or group.units)
        return self.found.all[chosen]

    def _title(self, group: Group) -> str:
        """The name of a closed block: that of its row in the table, or its module's."""
        assert group.block is not None, "a layer has its own text"
        nodes = set(group.block.nodes)
        row = self._rows.get(min(nodes))
        if row and len(row.nodes) == len(nodes) and nodes.issuperset(row.nodes):
            return row.name
        end = self.nodes[max(nodes)].op
        path = group.block.path
        own = path and end is not None and end.module == path  # its module runs its last operation
        word = end.module_type if own and end else _WORDS.get(group.block.kind, "")
        if word.lower().strip("_") in path.lower():
            return _short(path) or "block"
        return ": ".join(filter(None, (_short(path), word))) or "block"

    def _inside(self, members: Sequence[Unit]) -> str:
        layers = [u for u in members if u.kind not in ("join", "cat", "activation", "norm")]
        return notes.inner_layers(len(layers))

    def _ids(self) -> dict[str, str]:
        """The id of the row in the table that a box is of; a further box of it adds its number."""
        ids: dict[str, str] = {}
        taken: set[str] = set()
        for name in self.order:
            group = self.nested.groups[name]
            unit = self.found.all[group.units[0]]
            node = group.block.nodes[0] if group.block else unit.nodes[0]
            row = self._rows.get(node) if unit.kind not in ("input", "output") else None
            base = row.id if row else unit.kind
            ids[name] = f"{base}/{name}" if base in taken or not row else base
            taken.add(base)
        return ids


def _short(path: str) -> str:
    """The end of a long module path, from its last name on."""
    parts = path.split(".")
    named = [i for i, part in enumerate(parts) if not part.isdigit()]
    return path if len(path) <= _PATH or not named else ".".join(parts[named[-1] :])


@once_per_trace
def _rows_by_node(trace: Trace) -> dict[int, Row]:
    """The table's row of each layer."""
    rows = table(trace, "auto", "macs", merge=False).rows
    return {n: row for row in rows for n in row.nodes}


def _seconds(trace: Trace) -> Callable[[Iterable[Op]], float | None]:
    """Seconds of operations as measured in place."""
    if not trace.measured:
        return lambda ops: None
    order = {id(op): i for i, op in enumerate(trace.ops)}
    spent: dict[int, float] = {}
    for timed in trace.measured.ops:
        spent[timed.of] = spent.get(timed.of, 0.0) + timed.seconds
    return lambda ops: sum(spent.get(order[id(op)], 0.0) for op in ops)
