"""Trees of tensors: what a model takes and returns, nested in containers, dataclasses and
objects."""

from __future__ import annotations

import copy
import functools
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import torch

from .._narrow import is_list_or_tuple, is_mapping

_Map = Callable[[torch.Tensor], Any]
_Copies = dict[int, tuple[Any, Any]]  # by id: (copy, original)
OBJECTS = 20_000  # plain objects and containers looked into
SIMPLE = frozenset(
    (
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        type(None),
        torch.Tensor,
        torch.nn.Parameter,
        torch.Size,
        torch.dtype,
        torch.device,
    )
)

# threads, queues, loggers, files: what the process shares is not looked into
_SHARED = sys.stdlib_module_names - {
    "abc",
    "builtins",
    "collections",
    "dataclasses",
    "types",
    "typing",
}
_SEQUENCES: tuple[type, ...] = (list, tuple)
_MANY: tuple[type, ...] = (list, tuple, set, deque)
_NOT_PLAIN = (
    type,
    torch.nn.Module,
    torch.Tensor,
    types.ModuleType,
    types.FunctionType,
    torch.nn.utils.rnn.PackedSequence,
)


@functools.cache
def _is_users_own(kind: type) -> bool:
    """Whether a class is a user's own, and neither a module nor what the process shares."""
    return not issubclass(kind, _NOT_PLAIN) and not any(
        c.__module__.partition(".")[0] in _SHARED for c in kind.__mro__
    )


def is_plain(value: object) -> bool:
    """An instance of a user's class, whose attributes are in its own dict."""
    return _is_users_own(type(value)) and type(getattr(value, "__dict__", None)) is dict


def each(value: Any, run_iterators: bool = False) -> list[torch.Tensor]:
    """Every tensor in a nested value, in order. `run_iterators`: generators and maps are run to
    their end, which may do work."""
    found: list[torch.Tensor] = []
    stack: list[Any] = [value]
    seen: set[int] = set()
    while stack:
        value = stack.pop()
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif type(value) not in SIMPLE and id(value) not in seen:
            seen.add(id(value))
            run = run_iterators and _is_iterator(value)
            stack += reversed(list(value) if run else _inside(value))
    return found


def _is_iterator(value: object) -> bool:
    return isinstance(value, Iterator)


def _inside(value: Any) -> list[Any]:
    if is_mapping(value):
        return list(value.values())
    if is_list_or_tuple(value):
        return list(value)
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return [getattr(value, name) for name in value.__dataclass_fields__]
    return list(attributes_of(value).values()) if is_plain(value) else []


def attributes_of(value: object) -> dict[str, Any]:
    """The own attributes of an object, its `__dict__`."""
    return vars(value)


def _contains_tensor(value: Any, seen: set[int]) -> bool:
    """Whether a plain object has a tensor somewhere."""
    if isinstance(value, torch.Tensor):
        return True
    if type(value) in SIMPLE or id(value) in seen or len(seen) > OBJECTS:
        return False
    seen.add(id(value))
    if is_mapping(value):
        return any(_contains_tensor(v, seen) for v in value.values())
    if isinstance(value, _MANY):
        return any(_contains_tensor(v, seen) for v in value)
    return is_plain(value) and any(_contains_tensor(v, seen) for v in attributes_of(value).values())


def map_tensors(fn: _Map, value: Any, copies: _Copies | None = None) -> Any:
    """`fn` of every tensor in a nested value; what is there twice stays one.

    Dicts, lists, (named) tuples, dataclasses, and objects that have tensors are copied; the rest
    stays. `copies` by id: (copy, original), which keeps the original and its id alive."""
    if isinstance(value, torch.Tensor):
        return fn(value)
    copies = {} if copies is None else copies
    if id(value) in copies:
        return copies[id(value)][0]
    new = _mapped(fn, value, copies)
    copies.setdefault(id(value), (new, value))
    return new


def _mapped(fn: _Map, value: Any, copies: _Copies) -> Any:
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return _mapped_packed(fn, value)
    if isinstance(value, Mapping):
        return _mapped_mapping(fn, value, copies)
    if isinstance(value, _SEQUENCES):
        items = [map_tensors(fn, v, copies) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return _mapped_object(fn, value, copies)


def _mapped_packed(fn: _Map, value: Any) -> Any:
    """Its batch sizes are always on the CPU."""
    parts = (value.data, value.sorted_indices, value.unsorted_indices)
    data, *indices = (v if v is None else fn(v) for v in parts)
    return type(value)(data, value.batch_sizes, *indices)


def _mapped_mapping(fn: _Map, value: Any, copies: _Copies) -> Any:
    if type(value) is dict:
        items = cast("dict[Any, Any]", value).items()
        return {k: map_tensors(fn, v, copies) for k, v in items}
    new = copy.copy(value)
    for k, v in value.items():
        new[k] = map_tensors(fn, v, copies)
    return new


def _mapped_object(fn: _Map, value: Any, copies: _Copies) -> Any:
    fields = None if _is_class(value) else getattr(value, "__dataclass_fields__", None)
    plain = is_plain(value)
    if fields is None and not (plain and _contains_tensor(value, set())):
        return value
    new = _plain_copy(value) if plain else copy.copy(value)
    copies[id(value)] = new, value
    for name in fields if fields is not None else tuple(attributes_of(value)):
        object.__setattr__(new, name, map_tensors(fn, getattr(value, name), copies))
    return new


def _is_class(value: object) -> bool:
    return isinstance(value, type)


def _plain_copy(value: object) -> Any:
    """A shallow copy of a plain object, made without its own ways to be copied."""
    new = object.__new__(type(value))
    vars(new).update(vars(value))
    return new
