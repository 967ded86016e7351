"""What a trace file may hold: its JSON checked value by value, and the objects made of it.

The schema of what is kept by name is that of the types themselves: the annotations of `Measured`,
`Conditions` and `Provenance`. Operations, tensors and params are rows, which are checked here.
Whether an operation fits its formula is checked where formulas are known (`on_load`).
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from .._narrow import is_list, json_object
from .._text import brief, shown
from .facts import Provenance
from .record import Measured, Op, Param, Source, Tensor, Trace

T = TypeVar("T")

MOST_ELEMENTS = 2**62  # of one tensor
MOST_DIMENSIONS = 64
LONGEST_TEXT = 100_000  # characters
DEEPEST_MODULE = 1500  # parts of a module's path
DEEPEST_STACK = 500  # lines of code, each called from the one before
DEEPEST_ATTRIBUTE = 8  # tuples in tuples
_LARGEST = 2**64  # of the integers among attributes, in amount


class MisfitError(ValueError):
    """A value that the schema does not allow; the message is one line without the file's name."""


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


def _need(fits: bool, what: str) -> None:
    if not fits:
        raise MisfitError(what)


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


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise MisfitError(f"{what} {brief(value)} is not a string")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise MisfitError(f"{what} {brief(value)} has half a character")
    if len(value) > LONGEST_TEXT:
        raise MisfitError(f"{what} is longer than {LONGEST_TEXT:,} characters")
    return value


def _whole(value: object, what: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise MisfitError(f"{what} {brief(value)} is not an integer from {least} to {most}")
    return value


def _indices(values: object, count: int, what: str) -> tuple[int, ...]:
    if not is_list(values):
        _need(values == (), f"{what} is not a list")
        return ()
    for i in values:
        if type(i) is not int or not 0 <= i < count:
            raise MisfitError(f"{what}: {brief(i)} is not an index below {count}")
    return typing.cast("tuple[int, ...]", tuple(values))


def _shape(value: object) -> tuple[int, ...]:
    if not is_list(value):
        raise MisfitError(f"shape {brief(value)} is not a list")
    _need(len(value) <= MOST_DIMENSIONS, f"more than {MOST_DIMENSIONS} dimensions")
    shape = tuple(_whole(n, "a dimension of", 0, MOST_ELEMENTS) for n in value)
    # also where another dimension is 0: what is left of it may be a size of its own
    elements = math.prod(n or 1 for n in shape)
    _need(elements <= MOST_ELEMENTS, "more elements than any memory has")
    return shape


def _tensor(row: Sequence[Any]) -> Tensor:
    shape, dtype, *distinct = row
    tensor = Tensor(_shape(shape), _text(dtype, "dtype"), *distinct)
    if tensor.distinct is not None:
        _whole(tensor.distinct, "elements in memory", 0, MOST_ELEMENTS)
    return tensor


def _param(row: Sequence[Any], tensors: Sequence[Tensor]) -> Param:
    names, shape, dtype, tensor, *trainable = row
    _need(is_list(names) and names != [], "no list of names")
    [index] = _indices([tensor], len(tensors), "tensor")
    param = Param(
        tuple(_path(name, "name") for name in names),
        _shape(shape),
        _text(dtype, "dtype"),
        index,
        *trainable,
    )
    _need(param.shape == tensors[index].shape, "its shape is not that of its tensor")
    _need(
        param.trainable is None or type(param.trainable) is bool, "trainable is not true or false"
    )
    return param


def _path(value: object, what: str) -> str:
    text = _text(value, what)
    if text.count(".") >= DEEPEST_MODULE:
        raise MisfitError(f"{what} has more than {DEEPEST_MODULE} parts")
    return text


def _operations(doc: Mapping[str, Any], tensors: int, params: int) -> tuple[Op, ...]:
    """The operations, with the lines and nodes that the file has; files of before 2026-11-27 have
    none."""
    rows = _list(doc, "ops")
    _need(doc.get("count") == len(rows), "operations are missing")
    ops = _rows(doc, "ops", lambda row: _operation(row, tensors, params))
    for i, op in enumerate(ops):
        _need(op.of is None or -1 <= op.of < i, f"ops[{i}]: it is the gradient of a later one")
    nodes = _list(doc, "nodes", [""] * len(ops))
    sources = list(_sources(doc.get("sources"), len(ops)))
    _need(len(nodes) == len(sources) == len(ops), "not as many nodes or lines as operations")
    if "nodes" not in doc and "sources" not in doc:
        return ops
    return tuple(
        dataclasses.replace(op, source=source, node=_text(node, "node"))
        for op, source, node in zip(ops, sources, nodes, strict=True)
    )


def _operation(row: Sequence[Any], tensors: int, params: int) -> Op:
    name, module, kind, call, inputs, outputs, used, attrs, *of = row
    found = json_object(attrs)
    if found is None:
        raise MisfitError("its attributes are not an object")
    op = Op(
        _text(name, "name"),
        _path(module, "module"),
        _text(kind, "module type"),
        _whole(call, "call", 0, _LARGEST),
        _indices(inputs, tensors, "inputs"),
        _indices(outputs, tensors, "outputs"),
        _indices(used, params, "params"),
        {key: _attribute(value, key) for key, value in found.items()},
        *of,
    )
    _need(op.of is None or type(op.of) is int, f"of {brief(op.of)} is not an index")
    _need(type(op.recomputed) is bool, "recomputed is not true or false")
    return op


def _attribute(value: Any, name: str, depth: int = 0) -> Any:
    """A number, a text, None, or a tuple of these. Numbers may be infinite, as masks are."""
    if isinstance(value, (bool, float)) or value is None:
        return value
    what = f"attribute {shown(name)}"
    if isinstance(value, str):
        return _text(value, what)
    if isinstance(value, int):
        return _whole(value, what, -_LARGEST, _LARGEST)
    _need(is_list(value), f"{what} is not a number, text or list")
    _need(depth < DEEPEST_ATTRIBUTE, f"{what} is nested too deep")
    return tuple(_attribute(v, name, depth + 1) for v in value)


def _sources(value: object, operations: int) -> Iterator[Source | None]:
    """Of each operation the line that ran it."""
    if value is None:
        yield from [None] * operations
        return
    table = json_object(value)
    if table is None:
        raise MisfitError("sources is not an object")
    files = _rows(table, "files", lambda name: _text(name, "file"))
    lines: list[Source] = []
    depths: list[int] = []

    def line(row: Sequence[Any]) -> None:
        file, number, caller = row
        [place] = _indices([file], len(files), "file")
        above = _whole(caller, "calling line", -1, len(lines) - 1)
        depths.append(1 + (depths[above] if above >= 0 else 0))
        _need(depths[-1] <= DEEPEST_STACK, f"more than {DEEPEST_STACK} calls in one another")
        known = lines[above] if above >= 0 else None
        lines.append(Source(files[place], _whole(number, "line", 0, 2**31), known))

    _rows(table, "lines", line)
    for place in _list(table, "ops"):
        at = _whole(place, "sources: line", -1, len(lines) - 1)
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
    _need(all(p.tensor not in made for p in trace.params), "an operation makes a param")
    _need(not known.isdisjoint(trace.outputs) or not trace.outputs, "nothing makes the outputs")


# --- what is kept by name ---


def _provenance(value: object) -> Provenance:
    found: Provenance = fitted(value, Provenance, "provenance")
    pairs = all(len(pair) == 2 for pair in found["inputs"])
    _need(pairs, "provenance.inputs: a shape and a dtype each")
    return found


def _measured(value: object, ops: Sequence[Op]) -> Measured:
    found: Measured = fitted(_with_numbers(value), Measured, "measured")
    for o in found.ops:
        _whole(o.of, "measured: operation", -1, len(ops) - 1)
    for timing in (found.total, found.eager, *([found.compiled] if found.compiled else [])):
        _need(timing.median > 0, "measured: a time that is not above 0")
    for name in ("float32", "bandwidth"):
        _need(name in found.ceilings, f"measured: no ceiling {name}")
    _need(all(c > 0 for c in found.ceilings.values()), "measured: a ceiling that is not above 0")
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


def fitted(value: object, hint: Any, place: str) -> Any:
    """A decoded value as its annotation says; a dataclass or tuple of what JSON has as object or
    list. Raises MisfitError, whose message begins with the `place` of what does not fit."""
    origin, arguments = _parts(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        [hint] = [a for a in arguments if a is not type(None)]
        return fitted(value, hint, place)
    if origin in (typing.Required, typing.NotRequired):
        return fitted(value, arguments[0], place)
    if origin in (tuple, list):
        return _sequence(value, origin, arguments[0], place)
    if origin is dict:
        entries = _object(value, place)
        return {k: fitted(v, arguments[1], f"{place}.{shown(k)}") for k, v in entries.items()}
    if dataclasses.is_dataclass(hint):
        return _record(_object(value, place), typing.cast("type[Any]", hint), place)
    if typing.is_typeddict(hint):
        return _facts(_object(value, place), hint, place)
    return _scalar(value, hint, place)


def _sequence(value: object, kind: type, item: Any, place: str) -> Any:
    if not is_list(value):
        raise MisfitError(f"{place} is not a list")
    return kind(fitted(v, item, f"{place}[{i}]") for i, v in enumerate(value))


def _object(value: object, place: str) -> dict[str, Any]:
    found = json_object(value)
    if found is None:
        raise MisfitError(f"{place} is not an object")
    return found


def _record(value: Mapping[str, Any], kind: type[Any], place: str) -> Any:
    """A dataclass; fields with a default may be missing, others may not be there."""
    hints = _hints(kind)
    _known(value, hints, place)
    _all_there(value, _required(kind), place)
    return kind(**{k: fitted(v, hints[k], f"{place}.{k}") for k, v in value.items()})


def _facts(value: dict[str, Any], kind: Any, place: str) -> dict[str, Any]:
    """A TypedDict. What a later version adds is kept where it is a number or a text."""
    hints = _hints(kind)
    # `__required_keys__` does not see marks in annotations that are texts
    marks = {name: typing.get_origin(hint) for name, hint in hints.items()}
    if kind.__total__:
        required = [name for name, mark in marks.items() if mark is not typing.NotRequired]
    else:
        required = [name for name, mark in marks.items() if mark is typing.Required]
    _all_there(value, required, place)
    for name, entry in value.items():
        if name in hints:
            fitted(entry, hints[name], f"{place}.{name}")
        else:
            _attribute(entry, name)
    return value


def _known(value: Iterable[str], names: Iterable[str], place: str) -> None:
    for name in value:
        if name not in names:
            raise MisfitError(f"{place} has an unknown field {brief(name)}")


def _all_there(value: Mapping[str, Any], names: Iterable[str], place: str) -> None:
    for name in names:
        if name not in value:
            raise MisfitError(f"{place} has no {name}")


def _scalar(value: object, kind: type, place: str) -> object:
    if kind is str:
        return _text(value, place)
    if kind is int:
        return _whole(value, place, -_LARGEST, _LARGEST)
    if kind is bool:
        if type(value) is not bool:
            raise MisfitError(f"{place} {brief(value)} is not true or false")
        return value
    if type(value) is not int and type(value) is not float:
        raise MisfitError(f"{place} {brief(value)} is not a number")
    if not abs(value) <= _LARGEST:  # NaN too
        raise MisfitError(f"{place} {brief(value)} is not finite")
    return value


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    """The annotations of a class."""
    return typing.get_type_hints(kind, include_extras=True)


@functools.cache
def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a generic annotation is of, and its arguments."""
    return typing.get_origin(hint), typing.get_args(hint)


@functools.cache
def _required(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a dataclass that have no default."""
    return tuple(f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING)
