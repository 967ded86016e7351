"""The rows of device files and of journals: what was measured as JSON, and back, checked value by
value."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from .._narrow import is_list, json_object
from .._text import brief
from ..trace.decoded import MisfitError
from .device_record import DeviceFacts, NetworkPoint, Point, Seconds
from .kernels import FAMILIES, Kernel
from .prediction import LAYOUTS

T = TypeVar("T")

DTYPES = ("fp32", "tf32", "bf16", "fp16")
LONGEST_TEXT = 1000  # characters
MOST_KERNELS = 20_000  # of one network
_LARGEST_SIZE = 2**40
_LONGEST_TIME = 1e5  # seconds
_MAY_BE_ZERO = frozenset(
    (
        *("padding_depth", "padding_height", "padding_width", "second"),
        *("output_padding_height", "output_padding_width"),
    )
)
_FIELDS = {family: dataclasses.fields(kind) for family, kind in FAMILIES.items()}  # pyright: ignore[reportArgumentType] all are dataclasses
_KERNELS_KEPT = 2**14  # as many as are in a few device files
_DIGITS = 5  # significant ones of a time; it is not known better


def fields_of(family: str) -> list[str]:
    """The names of the sizes of a family, in the order of its rows."""
    return [f.name for f in _FIELDS[family]]


def sizes_row(kernel: Kernel) -> list[object]:
    """The sizes of a kernel in order, flags as 0 and 1."""
    values = (getattr(kernel, name) for name in fields_of(kernel.family))
    return [int(v) if isinstance(v, bool) else v for v in values]


def point_row(point: Point) -> list[object]:
    """[dtype, layout, sizes, warm, cold]."""
    cold = _seconds_row(point.cold) if point.cold else None
    return [point.dtype, point.layout, sizes_row(point.kernel), _seconds_row(point.warm), cold]


def network_row(network: NetworkPoint) -> list[object]:
    """[dtype, layout, [[family, sizes], ...], params, seconds]."""
    kernels = [[k.family, sizes_row(k)] for k in network.kernels]
    seconds = _seconds_row(network.seconds)
    return [network.dtype, network.layout, kernels, network.params, seconds]


def facts_object(facts: DeviceFacts) -> dict[str, object]:
    """The facts by name."""
    return {f.name: getattr(facts, f.name) for f in dataclasses.fields(facts)}


def _seconds_row(seconds: Seconds) -> list[float]:
    return [float(f"{s:.{_DIGITS}g}") for s in (seconds.median, seconds.low, seconds.high)]


def kernel_of(family: object, row: object) -> Kernel:
    """The kernel of a row of sizes. Raises MisfitError."""
    if not isinstance(family, str) or family not in FAMILIES:
        raise MisfitError(f"{brief(family)} is not a family of kernels")
    fields = _FIELDS[family]
    if not is_list(row) or len(row) != len(fields):
        raise MisfitError(f"{brief(row)} is not a list of {len(fields)} sizes")
    for field, value in zip(fields, row, strict=True):
        if type(value) not in (int, str):  # True and 1.0 would pass below for an equal 1
            _size(field.name, field.type, value)
    return _kernel(family, tuple(row))


@lru_cache(_KERNELS_KEPT)
def _kernel(family: str, row: tuple[int | str, ...]) -> Kernel:
    """The kernel of a row; those of networks are alike for the most part."""
    fields = _FIELDS[family]
    values = [_size(f.name, f.type, value) for f, value in zip(fields, row, strict=True)]
    kernel = FAMILIES[family](*values)
    _require_choices(kernel)
    if kernel.written < 1 or not 0 <= kernel.flops < math.inf:
        raise MisfitError(f"no {family} has the sizes {brief(list(row))}")
    return kernel


def _size(name: str, kind: object, value: object) -> object:
    """A size, a flag or a name, by the annotation of its field."""
    if kind == "str":
        return text_of(value, name)
    if kind == "bool":
        return bool(whole(value, name, 0, 1))
    return whole(value, name, int(name not in _MAY_BE_ZERO), _LARGEST_SIZE)


def _require_choices(kernel: Kernel) -> None:
    """Refuse a kind or function that the family does not have."""
    for name, choices in (("kind", "kinds"), ("function", "functions")):
        value, known = getattr(kernel, name, None), getattr(kernel, choices, (None,))
        if value not in known:
            raise MisfitError(f"{brief(value)} is not one of {', '.join(map(str, known))}")


def point_of(family: str, row: object) -> Point:
    """The point of a row. Raises MisfitError."""
    dtype, layout, sizes, warm, cold = exactly(row, 5, "a point")
    return Point(
        kernel_of(family, sizes),
        _choice(dtype, DTYPES),
        _choice(layout, LAYOUTS),
        seconds_of(warm),
        seconds_of(cold) if cold is not None else None,
    )


def network_of(row: object) -> NetworkPoint:
    """The network of a row. Raises MisfitError."""
    dtype, layout, kernels, params, seconds = exactly(row, 5, "a network")
    if not is_list(kernels) or not 1 <= len(kernels) <= MOST_KERNELS:
        raise MisfitError(f"{brief(kernels)} is not a list of kernels")
    pairs = [exactly(pair, 2, "a kernel") for pair in kernels]
    return NetworkPoint(
        tuple(kernel_of(family, sizes) for family, sizes in pairs),
        _choice(dtype, DTYPES),
        _choice(layout, LAYOUTS),
        whole(params, "params", 0, _LARGEST_SIZE),
        seconds_of(seconds),
    )


def seconds_of(row: object) -> Seconds:
    """Times in order, above 0. Raises MisfitError."""
    median, low, high = (
        number(value, "a time", 0, _LONGEST_TIME) for value in exactly(row, 3, "times")
    )
    if not 0 < low <= median <= high:
        raise MisfitError(f"the times {brief(row)} are not a median, the least and the most")
    return Seconds(median, low, high)


def facts_of(value: object) -> DeviceFacts:
    """The facts of an object. Raises MisfitError."""
    doc = _object(value, "facts")
    names = {f.name for f in dataclasses.fields(DeviceFacts)}
    if set(doc) != names:
        raise MisfitError(f"the facts are not {', '.join(sorted(names))}")
    texts = {name: text_of(doc[name], name) for name in ("device", "date", "torch", "costlab")}
    notes: object = doc["notes"]
    if not is_list(notes):
        raise MisfitError(f"notes {brief(notes)} is not a list")
    return DeviceFacts(
        **texts,
        kind=_choice(doc["kind"], ("cuda", "cpu")),
        cache=whole(doc["cache"], "cache", 0, _LARGEST_SIZE),
        machine=_values(doc["machine"], "machine", _text_or_number),
        clocks=_values(doc["clocks"], "clocks", lambda v: number(v, "a clock", -1e9, 1e15)),
        notes=tuple(text_of(note, "a note") for note in notes),
    )


def _text_or_number(value: object) -> str | float:
    if isinstance(value, str):
        return text_of(value, "machine")
    return number(value, "machine", -1e18, 1e18)


def _values(value: object, what: str, one: Callable[[object], T]) -> dict[str, T]:
    doc = _object(value, what)
    return {text_of(name, what): one(v) for name, v in doc.items()}


def _object(value: object, what: str) -> Mapping[str, Any]:
    doc = json_object(value)
    if doc is None:
        raise MisfitError(f"{what} {brief(value)} is not an object")
    return doc


def exactly(row: object, count: int, what: str) -> Sequence[object]:
    """A list of so many values. Raises MisfitError."""
    if not is_list(row) or len(row) != count:
        raise MisfitError(f"{what} {brief(row)} is not a list of {count}")
    return row


def text_of(value: object, what: str) -> str:
    """A text that is not long. Raises MisfitError."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise MisfitError(
            f"{what} {brief(value)} is not a string of at most {LONGEST_TEXT} characters"
        )
    return value


def whole(value: object, what: str, least: int, most: int) -> int:
    """A whole number in a range. Raises MisfitError."""
    if type(value) is not int or not least <= value <= most:
        raise MisfitError(f"{what} {brief(value)} is not an integer from {least} to {most}")
    return value


def number(value: object, what: str, least: float, most: float) -> float:
    """A finite number in a range; whole ones stay whole. Raises MisfitError."""
    if type(value) not in (int, float) or not least <= value <= most:  # pyright: ignore[reportOperatorIssue] it is a number
        raise MisfitError(f"{what} {brief(value)} is not a number from {least:g} to {most:g}")
    return value  # pyright: ignore[reportReturnType] see above


def _choice(value: object, known: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise MisfitError(f"{brief(value)} is not one of {', '.join(known)}")
    return value
