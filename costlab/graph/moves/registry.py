"""The registry of rules: one an operation, and what every rule is written with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from ...trace.record import Op, Trace
from .record import Mix, Move, Operand, Plan, Positions, Windows

MOST = 1 << 24  # positions that the windows of an operation see along a dimension
GRIDS = {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}


@dataclass(frozen=True)
class Case:
    """One output of one operation: shapes of the tensor inputs, the output's shape and its place
    among the outputs."""

    op: Op
    shapes: tuple[tuple[int, ...], ...]
    out: tuple[int, ...]
    place: int

    def attr(self, name: str, default: Any = None) -> Any:
        """An argument of the operation."""
        value = self.op.attrs.get(name)
        return default if value is None else value

    def dim(self, name: str = "dim", default: int = 0) -> int:
        """A dimension argument, counted from the front."""
        return self.attr(name, default) % max(1, len(self.shapes[0]))

    def dims(self, name: str = "dim") -> tuple[int, ...]:
        """Dimension arguments; all where none are given."""
        value, n = self.attr(name, ()), len(self.shapes[0])
        given: tuple[int, ...] = (value,) if isinstance(value, int) else tuple(value)
        return tuple(d % n for d in given) if given else tuple(range(n))


class TooManyError(Exception):
    """An operation sees more positions than are worked out."""


Rule = Callable[[Case], Plan | None]
_RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register `fn(case) -> Plan or None`; names without a namespace are aten's."""

    def register(fn: Rule) -> Rule:
        _RULES.update({n if "." in n else f"aten.{n}": fn for n in names})
        return fn

    return register


def plan(trace: Trace, op: Op, place: int) -> Plan | None:
    """How output `place` of an operation depends on its inputs; None where that is not known, or
    where its windows see more than `MOST` positions."""
    fn = _RULES.get(op.name) or _RULES.get(op.name.rstrip("_"))
    if fn is None:
        return None
    out = trace.tensors[op.outputs[place]].shape
    try:
        return fn(Case(op, tuple(trace.shapes(op)), out, place))
    except TooManyError:
        return None


def places(count: int, window: int = 1) -> Positions:
    """0, 1, ..., one for each of `count` windows of `window` positions. Raises TooManyError."""
    require_few(count * max(1, window))
    return np.arange(count)


def require_few(positions: int) -> None:
    """Raise TooManyError for more positions than are worked out."""
    if positions > MOST:
        raise TooManyError


def plain(*moves: Move, roles: tuple[tuple[int, str], ...] = ()) -> Plan:
    """One operand, the first input; `roles` as of `Plan`."""
    return Plan((Operand(0, moves),), roles=roles)


def ints(value: Any, n: int, default: int = 1) -> tuple[int, ...]:
    """An argument of one number or one a dimension, as n numbers."""
    if value is None or value == ():
        return (default,) * n
    given: tuple[int, ...] = (value,) if isinstance(value, int) else tuple(value)
    return given if len(given) == n else given[:1] * n


def taken(dim: int, positions: npt.ArrayLike, stride: int = 1) -> Windows:
    """Along `dim`, the elements at `positions`."""
    return Windows(dim, np.asarray(positions, dtype=np.int64)[:, None], Fraction(stride))


def spread(case: Case, dims: Iterable[int]) -> tuple[Mix, ...]:
    """Each of `dims` is mixed with itself."""
    return tuple(Mix(d, case.shapes[0][d]) for d in dims)


def grid_roles(lead: int, n: int) -> tuple[tuple[int, str], ...]:
    """Batch, channel at dimension `lead`, and a grid of `n` dimensions after it."""
    batch = ((0, "batch"),) if lead else ()
    return (*batch, (lead, "channel"), *((lead + 1 + i, r) for i, r in enumerate(GRIDS.get(n, ()))))
