"""The columns of a table: those that the styles fill, and those that are there where they are
asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..cost import Convention, effort, total
from ..graph import Node, layouts, source_line
from ..trace.record import Trace
from .groups import Group, x
from .selection import column_names, plain_name, unknown_column
from .sheet import Column

_FIRST = (
    "operator",
    "type",
    "name",
    "times",
    "calls",
    "layer name",
    "patch size/stride",
    "output size",
    "layers",
    "depth",
)
_BRANCHES = (
    "#1x1 squeeze",
    "#1x1",
    "#3x3 reduce",
    "#3x3",
    "#5x5 reduce",
    "#5x5",
    "double #3x3 reduce",
    "double #3x3",
    "pool proj",
)

_COUNTED = frozenset(("times", "calls"))

# what a narrow terminal drops first; the type says what a row is where it has no name
_IMPORTANCE = {
    "operator": 9,
    "name": 9,
    "layer name": 9,
    "layers": 8,
    "output size": 7,
    "times": 6,
    "calls": 6,
    "patch size/stride": 2,
    "depth": 1,
}
_NAMED, _BESIDE_NAMES, _OF_A_BRANCH = 9, 4, 3


@dataclass(frozen=True)
class ExtraColumn:
    """A column that is there where it is asked for: its `unit` ("" for text), the `value` of a row,
    and that of the last row (None: it has no total)."""

    unit: str
    value: Callable[[Trace, Group], Any]
    whole: Callable[[Trace], Any] | None = None


def _input_size(trace: Trace, group: Group) -> str:
    first = group.nodes[0] if group.nodes else None
    if first is None or first.op is None or not first.op.inputs:
        return ""
    place = 1 if first.op.name in ("aten.addmm", "aten.baddbmm") else 0
    return layouts(trace)[first.op.inputs[place]].size


def _receptive_field(trace: Trace, group: Group) -> str:
    seen = [n.field for n in group.nodes if n.op]
    known = [f for f in seen if f is not None]
    if len(known) < len(seen):
        return "unknown"
    return x(map(max, zip(*known, strict=True)))


def _trainable(trace: Trace, group: Group) -> int | str:
    found = total(trace, group.ops).trainable
    return "unknown" if found is None else found


def _source(trace: Trace, group: Group) -> str:
    layers = {id(n.op) for n in group.nodes if n.op}
    # what is only prepared or moved before the first layer does not say where the row is
    ops = sorted(group.ops, key=lambda op: id(op) not in layers)
    return str(source_line(trace, ops) or "")


def _sum_of(field: str, unit: str) -> ExtraColumn:
    """A column that adds up over the rows."""
    return ExtraColumn(
        unit,
        lambda trace, group: getattr(total(trace, group.ops), field),
        lambda trace: getattr(total(trace), field),
    )


def _effort_of(field: str) -> ExtraColumn:
    """A column of `Effort`."""
    return ExtraColumn(
        "MACs",
        lambda trace, group: getattr(effort(trace, group.ops), field),
        lambda trace: getattr(effort(trace), field),
    )


def _of_each_layer(get: Callable[[Node], Any]) -> ExtraColumn:
    """A column that names the value of each layer with a kernel once."""

    def value(trace: Trace, group: Group) -> str:
        found = (get(n) for n in group.nodes if n.kernel)
        return "; ".join(dict.fromkeys(str(v) for v in found if v is not None))

    return ExtraColumn("", value)


COLUMNS = {
    "receptive field": ExtraColumn("pixels", _receptive_field),
    "MACs": _sum_of("macs", "MACs"),
    "FLOPs": _sum_of("flops", "FLOPs"),
    "activations": _sum_of("activations", "elements"),
    "outputs": _sum_of("outputs", "elements"),
    "bytes": _sum_of("moved", "bytes"),
    "bytes read": _sum_of("read", "bytes"),
    "bytes written": _sum_of("written", "bytes"),
    "integer MACs": _sum_of("integer_macs", "MACs"),
    "dense MACs": _effort_of("dense"),
    "executed MACs": _effort_of("executed"),
    "weights": _sum_of("weights", "elements"),
    "biases": _sum_of("biases", "elements"),
    "scales": _sum_of("scales", "elements"),
    "trainable": ExtraColumn("elements", _trainable, lambda trace: total(trace).trainable),
    "input size": ExtraColumn("", _input_size),
    "groups": _of_each_layer(lambda n: n.groups),
    "dilation": _of_each_layer(lambda n: x(n.dilation)),
    "source": ExtraColumn("", _source),
    "module": ExtraColumn("", lambda trace, group: group.path),
    "modules": ExtraColumn("count", lambda trace, group: len({op.module for op in group.ops})),
    "operations": ExtraColumn("count", lambda trace, group: len(group.ops)),
}


_PLAIN = {plain_name(key): key for key in COLUMNS}


def further_columns(asked: Iterable[str]) -> tuple[str, ...]:
    """The keys of `COLUMNS` among the names that were asked for; other names are passed over."""
    found = (_PLAIN.get(plain_name(name)) for name in asked)
    return tuple(dict.fromkeys(key for key in found if key is not None))


def extra_columns(asked: str | Iterable[str]) -> tuple[str, ...]:
    """The keys of `COLUMNS` that were asked for, by name or in a comma-separated text.

    Raises ValueError for a name that is not there."""
    names = column_names(asked)
    for name in names:
        if plain_name(name) not in _PLAIN:
            raise ValueError(unknown_column(name, COLUMNS))
    return further_columns(names)


def extra_totals(keys: Iterable[str], trace: Trace) -> dict[str, int]:
    """The totals of the added columns that have one."""
    found = ((key, COLUMNS[key].whole) for key in keys)
    return {key: whole(trace) for key, whole in found if whole}


def style_columns(cells: Iterable[dict[str, Any]]) -> Iterator[Column]:
    """The columns that a style's rows have, in the order of the papers' tables: what the row is,
    then the branches of forks."""
    keys = dict.fromkeys(key for row in cells for key in row) or {"type": None}
    for key in _FIRST:
        if key in keys:
            importance = _IMPORTANCE.get(key, _NAMED if "name" not in keys else _BESIDE_NAMES)
            yield Column(key, "count" if key in _COUNTED else "", importance=importance)
    for key in sorted((k for k in keys if k not in _FIRST), key=_place):
        yield Column(key, importance=_OF_A_BRANCH)


def _place(key: str) -> tuple[float, str, bool]:
    """Columns that no paper has come before the pool projection; a reduction before what it
    reduces for."""
    known = _BRANCHES.index(key) if key in _BRANCHES else len(_BRANCHES) - 1.5
    return known, key.replace(" reduce", ""), " reduce" not in key


def count_columns(
    convention: Convention, *, integers: bool, backward: bool, time: bool
) -> Iterator[Column]:
    """The last columns: params and ops, then integer ops, backward ops and time where there are
    any."""
    kilo, mega = (convention.kilo, "K"), (convention.mega, "M")
    yield _count("params", "params", convention, kilo)
    yield _count("ops", "MACs", convention, mega)
    if integers:
        yield _count("integer ops", "MACs", convention, mega)
    if backward:
        yield _count("backward", "MACs", convention, mega)
    if time:
        yield Column("time", "ms", share=True, format=",.3f")


def _count(key: str, unit: str, convention: Convention, scale: tuple[int, str]) -> Column:
    """A column of counts with their shares, in one unit or each in its own, by the convention."""
    one_unit = None if convention.scaled else scale
    return Column(key, unit, one_unit, share=True, scaled=convention.scaled)
