"""The types of an operator's attributes: a file may hold any under any name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeGuard, TypeVar

import torch

from ..._narrow import is_list

T = TypeVar("T")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A type of attribute. `name` is what a message calls it; `holds` tells a value of it."""

    name: str
    holds: Callable[[object], TypeGuard[T]]


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float))


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _is_tensor(value: object) -> TypeGuard[torch.Tensor]:
    return isinstance(value, torch.Tensor)


def _are_ints(value: object) -> TypeGuard[list[int]]:
    return is_list(value) and all(map(_is_int, value))


def _are_numbers(value: object) -> TypeGuard[list[float]]:
    return is_list(value) and all(map(_is_number, value))


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return is_list(value) and all(map(_is_text, value))


INT = Kind("an integer", _is_int)
FLOAT = Kind("a number", _is_number)
TEXT = Kind("a string", _is_text)
TENSOR = Kind("a tensor", _is_tensor)
INTS = Kind("a list of integers", _are_ints)
FLOATS = Kind("a list of numbers", _are_numbers)
TEXTS = Kind("a list of strings", _are_texts)
