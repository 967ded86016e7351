"""What a trace file may hold: its JSON checked value by value, and the objects made of it.

The schema of what is kept by name is that of the types themselves: the annotations of `Measured`,
`Conditions` and `Provenance`. Operations, tensors and params are rows, which are checked here.
Whether an operation fits its formula is checked where formulas are known (`on_load`).
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from .._narrow import is_list, json_object
from .._text import brief
from .decoded import LARGEST, MisfitError, attribute, fitted, require, text, whole
from .facts import Provenance
from .record import Measured, Op, Param, Source, Tensor, Trace

T = TypeVar("T")

MOST_ELEMENTS = 2**62  # of one tensor
MOST_DIMENSIONS = 64
DEEPEST_MODULE = 1500  # parts of a module's path
DEEPEST_STACK = 500  # lines of code, each called from the one before


def trace_of(doc: Mapping[str, Any]) -> Trace:
    """The trace that a file's JSON holds. Raises MisfitError with the place of the first value that
    no tracer writes."""
    tensors = _rows(doc, "tensors", _tensor)
    params = _rows(doc, "params", lambda row: _param(row, tensors))
    ops = _operations(doc, len(tensors), len(params))
    measured = doc.get("measured")
    trace = Trace(
        ops=ops,
        tensors=tensors,
        params=params,
        inputs=_indices(_list(doc, "inputs"), len(tensors), "inputs"),
        outputs=_indices(_list(doc, "outputs"), len(tensors), "outputs"),
        provenance=_provenance(doc.get("provenance")),
        saved=_indices(_list(doc, "saved", ()), len(tensors), "saved"),
        measured=_measured(measured, ops) if measured is not None else None,
        gradients=_indices(_list(doc, "gradients", ()), len(params), "gradients"),
    )
    _require_order(trace)
    return trace


def _list(doc: Mapping[str, Any], name: str, default: Sequence[Any] | None = None) -> Sequence[Any]:
    value: object = doc.get(name, default)
    if not is_list(value) and value != ():
        raise MisfitError(f"{name} is not a list")
    return typing.cast("Sequence[Any]", value)


def _rows(doc: Mapping[str, Any], name: str, one: Callable[[Any], T]) -> tuple[T, ...]:
    """A list of rows, each by `one`; what is wrong begins with the row's place."""
    found: list[T] = []
    for i, row in enumerate(_list(doc, name)):
        try:
            found.append(one(row))
        except MisfitError as e:
            raise MisfitError(f"{name}[{i}]: {e}") from None
        except (TypeError, ValueError):  # a row that has fewer or more values, or is none
            raise MisfitError(
                f"{name}[{i}]: {brief(row)} has other values than it should"
            ) from None
    return tuple(found)


def _indices(values: object, count: int, what: str) -> tuple[int, ...]:
    if not is_list(values):
        require(values == (), f"{what} is not a list")
        return ()
    for i in values:
        if type(i) is not int or not 0 <= i < count:
            raise MisfitError(f"{what}: {brief(i)} is not an index below {count}")
    return typing.cast("tuple[int, ...]", tuple(values))


def _shape(value: object) -> tuple[int, ...]:
    if not is_list(value):
        raise MisfitError(f"shape {brief(value)} is not a list")
    require(len(value) <= MOST_DIMENSIONS, f"more than {MOST_DIMENSIONS} dimensions")
    shape = tuple(whole(n, "a dimension of", 0, MOST_ELEMENTS) for n in value)
    # also where another dimension is 0: what is left of it may be a size of its own
    elements = math.prod(n or 1 for n in shape)
    require(elements <= MOST_ELEMENTS, "more elements than any memory has")
    return shape


def _tensor(row: Sequence[Any]) -> Tensor:
    shape, dtype, *distinct = row
    tensor = Tensor(_shape(shape), text(dtype, "dtype"), *distinct)
    if tensor.distinct is not None:
        whole(tensor.distinct, "elements in memory", 0, MOST_ELEMENTS)
    return tensor


def _param(row: Sequence[Any], tensors: Sequence[Tensor]) -> Param:
    names, shape, dtype, tensor, *trainable = row
    require(is_list(names) and names != [], "no list of names")
    [index] = _indices([tensor], len(tensors), "tensor")
    param = Param(
        tuple(_path(name, "name") for name in names),
        _shape(shape),
        text(dtype, "dtype"),
        index,
        *trainable,
    )
    require(param.shape == tensors[index].shape, "its shape is not that of its tensor")
    require(
        param.trainable is None or type(param.trainable) is bool, "trainable is not true or false"
    )
    return param


def _path(value: object, what: str) -> str:
    path = text(value, what)
    if path.count(".") >= DEEPEST_MODULE:
        raise MisfitError(f"{what} has more than {DEEPEST_MODULE} parts")
    return path


def _operations(doc: Mapping[str, Any], tensors: int, params: int) -> tuple[Op, ...]:
    """The operations, with the lines and nodes that the file has; files of before 2026-11-27 have
    none."""
    rows = _list(doc, "ops")
    require(doc.get("count") == len(rows), "operations are missing")
    ops = _rows(doc, "ops", lambda row: _operation(row, tensors, params))
    for i, op in enumerate(ops):
        require(op.of is None or -1 <= op.of < i, f"ops[{i}]: it is the gradient of a later one")
    nodes = _list(doc, "nodes", [""] * len(ops))
    sources = list(_sources(doc.get("sources"), len(ops)))
    require(len(nodes) == len(sources) == len(ops), "not as many nodes or lines as operations")
    if "nodes" not in doc and "sources" not in doc:
        return ops
    return tuple(
        dataclasses.replace(op, source=source, node=text(node, "node"))
        for op, source, node in zip(ops, sources, nodes, strict=True)
    )


def _operation(row: Sequence[Any], tensors: int, params: int) -> Op:
    name, module, kind, call, inputs, outputs, used, attrs, *of = row
    found = json_object(attrs)
    if found is None:
        raise MisfitError("its attributes are not an object")
    op = Op(
        text(name, "name"),
        _path(module, "module"),
        text(kind, "module type"),
        whole(call, "call", 0, LARGEST),
        _indices(inputs, tensors, "inputs"),
        _indices(outputs, tensors, "outputs"),
        _indices(used, params, "params"),
        {key: attribute(value, key) for key, value in found.items()},
        *of,
    )
    require(op.of is None or type(op.of) is int, f"of {brief(op.of)} is not an index")
    require(type(op.recomputed) is bool, "recomputed is not true or false")
    return op


def _sources(value: object, operations: int) -> Iterator[Source | None]:
    """Of each operation the line that ran it."""
    if value is None:
        yield from [None] * operations
        return
    table = json_object(value)
    if table is None:
        raise MisfitError("sources is not an object")
    files = _rows(table, "files", lambda name: text(name, "file"))
    lines: list[Source] = []
    depths: list[int] = []

    def line(row: Sequence[Any]) -> None:
        file, number, caller = row
        [place] = _indices([file], len(files), "file")
        above = whole(caller, "calling line", -1, len(lines) - 1)
        depths.append(1 + (depths[above] if above >= 0 else 0))
        require(depths[-1] <= DEEPEST_STACK, f"more than {DEEPEST_STACK} calls in one another")
        known = lines[above] if above >= 0 else None
        lines.append(Source(files[place], whole(number, "line", 0, 2**31), known))

    _rows(table, "lines", line)
    for place in _list(table, "ops"):
        at = whole(place, "sources: line", -1, len(lines) - 1)
        yield lines[at] if at >= 0 else None


def _require_order(trace: Trace) -> None:
    """Refuse a value that is used before an operation makes it: operations stand in the order in
    which they ran, so that the graph has no cycle."""
    made: dict[int, int] = {}
    for k, op in enumerate(trace.ops):
        for i in op.outputs:
            made.setdefault(i, k)
    for k, op in enumerate(trace.ops):
        if any(made.get(i, -1) >= k for i in op.inputs):
            raise MisfitError(f"ops[{k}]: it takes a tensor that a later operation makes")
    known = {*made, *trace.inputs}
    require(all(p.tensor not in made for p in trace.params), "an operation makes a param")
    require(not known.isdisjoint(trace.outputs) or not trace.outputs, "nothing makes the outputs")


def _provenance(value: object) -> Provenance:
    found: Provenance = fitted(value, Provenance, "provenance")
    pairs = all(len(pair) == 2 for pair in found["inputs"])
    require(pairs, "provenance.inputs: a shape and a dtype each")
    return found


def _measured(value: object, ops: Sequence[Op]) -> Measured:
    found: Measured = fitted(_with_numbers(value), Measured, "measured")
    for o in found.ops:
        whole(o.of, "measured: operation", -1, len(ops) - 1)
    for timing in (found.total, found.eager, *([found.compiled] if found.compiled else [])):
        require(timing.median > 0, "measured: a time that is not above 0")
    for name in ("float32", "bandwidth"):
        require(name in found.ceilings, f"measured: no ceiling {name}")
    require(all(c > 0 for c in found.ceilings.values()), "measured: a ceiling that is not above 0")
    return found


def _with_numbers(value: Any) -> Any:
    """A measurement whose clocks are numbers; in files of before 2026-11-27 they are texts."""
    measured = json_object(value) or {}
    conditions = json_object(measured.get("conditions"))
    if conditions is None:
        return value
    clocks = {
        name: {k: _number_in(v) for k, v in sample.items()}
        for name in ("clocks before", "clocks after")
        if (sample := json_object(conditions.get(name))) is not None
    }
    return {**measured, "conditions": {**conditions, **clocks}}


def _number_in(value: Any) -> Any:
    """The number that a text spells; any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        return int(value, 0)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return value
