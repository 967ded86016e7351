"""A figure of base and of head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

_T = TypeVar("_T")
_U = TypeVar("_U")


class Sides(NamedTuple, Generic[_T]):
    """The same of base and of head."""

    base: _T
    head: _T

    def map(self, function: Callable[[_T], _U]) -> Sides[_U]:
        """`function` of each."""
        return Sides(function(self.base), function(self.head))


Figures = Mapping[str, Sides["float | None"]]  # by name of `limits.QUANTITIES`, in their units


def difference(sides: Sides[float | None]) -> float | None:
    """Head less base; None where one of them is not known."""
    base, head = sides
    return None if base is None or head is None else head - base


def relative(sides: Sides[float | None]) -> float | None:
    """The change as a share of the base; None where there is none to divide by."""
    change = difference(sides)
    return change / abs(sides.base) if change is not None and sides.base else None
