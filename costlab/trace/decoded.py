"""Values of decoded JSON, each checked against the type that it should have."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from .._narrow import is_list, json_object
from .._text import brief, shown

LONGEST_TEXT = 100_000  # characters
DEEPEST_ATTRIBUTE = 8  # tuples in tuples
LARGEST = 2**64  # of integers, in amount


class MisfitError(ValueError):
    """A value that the schema does not allow; the message is one line without the file's name."""


def require(fits: bool, what: str) -> None:
    """Raise MisfitError with `what`, unless it fits."""
    if not fits:
        raise MisfitError(what)


def text(value: object, what: str) -> str:
    """A string, and one that can be encoded; `what` names it in a message."""
    if not isinstance(value, str):
        raise MisfitError(f"{what} {brief(value)} is not a string")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise MisfitError(f"{what} {brief(value)} has half a character")
    if len(value) > LONGEST_TEXT:
        raise MisfitError(f"{what} is longer than {LONGEST_TEXT:,} characters")
    return value


def whole(value: object, what: str, least: int, most: int) -> int:
    """An integer from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise MisfitError(f"{what} {brief(value)} is not an integer from {least} to {most}")
    return value


def attribute(value: Any, name: str, depth: int = 0) -> Any:
    """A number, a text, None, or a tuple of these. Numbers may be infinite, as masks are."""
    if isinstance(value, (bool, float)) or value is None:
        return value
    what = f"attribute {shown(name)}"
    if isinstance(value, str):
        return text(value, what)
    if isinstance(value, int):
        return whole(value, what, -LARGEST, LARGEST)
    require(is_list(value), f"{what} is not a number, text or list")
    require(depth < DEEPEST_ATTRIBUTE, f"{what} is nested too deep")
    return tuple(attribute(v, name, depth + 1) for v in value)


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
            attribute(entry, name)
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
        return text(value, place)
    if kind is int:
        return whole(value, place, -LARGEST, LARGEST)
    if kind is bool:
        if type(value) is not bool:
            raise MisfitError(f"{place} {brief(value)} is not true or false")
        return value
    if type(value) is not int and type(value) is not float:
        raise MisfitError(f"{place} {brief(value)} is not a number")
    if not abs(value) <= LARGEST:  # NaN too
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
