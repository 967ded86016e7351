"""The factors of dimensions: merged and dealt out again by views."""

from __future__ import annotations

from collections.abc import Sequence

from .record import Factor

Dims = tuple[tuple[Factor, ...], ...]


def axes_of(factors: Sequence[Factor]) -> tuple[int, ...]:
    """The axes that factors are parts of; those of size 1 only where there are no others."""
    return tuple(dict.fromkeys(f.axis for f in factors if f.size > 1)) or tuple(
        f.axis for f in factors[:1]
    )


def replaced(dims: Dims, d: int, factors: tuple[Factor, ...]) -> Dims:
    """`dims` with other factors for dimension d."""
    return (*dims[:d], factors, *dims[d + 1 :])


def regrouped(dims: Dims, shape: Sequence[int]) -> Dims:
    """The factors in their order, dealt out to the dimensions of `shape`; nothing is known from
    where one is cut unevenly."""
    pending = [f for factors in dims for f in factors]
    found: list[tuple[Factor, ...]] = []
    for n in shape:
        taken = _dealt(pending, n)
        if taken is None:
            return (*found, *((),) * (len(shape) - len(found)))
        found.append(_merged(taken))
    return tuple(found)


def _dealt(pending: list[Factor], n: int) -> list[Factor] | None:
    """Take factors off the front that make n elements."""
    if n == 1:
        return [pending.pop(0)] if pending and pending[0].size == 1 else []
    taken: list[Factor] = []
    left = n
    while left > 1:
        if not pending:
            return None
        f = pending.pop(0)
        if left % f.size == 0:
            taken.append(f)
            left //= f.size
        elif f.size % left == 0:
            inner = f.size // left
            taken.append(Factor(f.axis, left, f.step * inner))
            pending.insert(0, Factor(f.axis, inner, f.step))
            left = 1
        else:
            return None
    return taken


def _merged(factors: Sequence[Factor]) -> tuple[Factor, ...]:
    """Neighbouring parts of one axis become one part again."""
    found: list[Factor] = []
    for f in factors:
        last = found[-1] if found else None
        if last and last.axis == f.axis and last.step == f.size * f.step:
            found[-1] = Factor(f.axis, last.size * f.size, f.step)
        else:
            found.append(f)
    return tuple(found)
