"""The first and last input position that the elements of a tensor see, and how one move changes
them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from ..moves import (
    NOWHERE,
    Everything,
    Insert,
    Mix,
    Move,
    Permute,
    Positions,
    Reduce,
    Reshape,
    Scatter,
    Shape,
    Windows,
)

NONE = 1 << 40  # first position of what sees nothing; the last one is its negative
MOST = 1 << 21  # elements of an array; larger ones are put together


@dataclass(frozen=True, eq=False)
class Extent:
    """First (`low`) and last (`high`) position along one input dimension, and the `jump` of both
    along each dimension of the tensor."""

    low: Positions
    high: Positions
    jump: tuple[Fraction, ...]


class UnknownError(Exception):
    """Positions depend on values, or on an operation without a rule."""


State = tuple[Extent, ...]


def moved(state: State, moves: Iterable[Move], shape: Shape) -> State:
    for move in moves:
        state = tuple(_moved(e, move, shape) for e in state)
        shape = shape_after(move, shape)
    return state


def _moved(e: Extent, move: Move, shape: Shape) -> Extent:
    match move:
        case Permute():
            return _permute(e, move)
        case Reshape():
            return _reshape(e, move, shape)
        case Insert():
            return _insert(e, move)
        case Windows():
            return _windows(e, move, shape)
        case Mix():
            return _mix(e, move)
        case Reduce():
            return _reduce(e, move)
        case Scatter():
            return _scatter(e, move)
        case Everything():
            return everything(e)


def shape_after(move: Move, shape: Shape) -> Shape:
    match move:
        case Permute(order):
            return tuple(shape[i] for i in order)
        case Reshape(new):
            return new
        case Insert(dim):
            return (*shape[:dim], 1, *shape[dim:])
        case Windows(dim, taps, _):
            return (*shape[:dim], len(taps), *shape[dim + 1 :])
        case Mix(dim, size) | Scatter(dim, size):
            return (*shape[:dim], size, *shape[dim + 1 :])
        case Reduce(dims, keep):
            return tuple(
                1 if d in dims else n for d, n in enumerate(shape) if keep or d not in dims
            )
        case Everything():
            return ()


def _permute(e: Extent, move: Permute) -> Extent:
    jump = tuple(e.jump[i] for i in move.order)
    return Extent(e.low.transpose(move.order), e.high.transpose(move.order), jump)


def _insert(e: Extent, move: Insert) -> Extent:
    low, high = np.expand_dims(e.low, move.dim), np.expand_dims(e.high, move.dim)
    return Extent(low, high, (*e.jump[: move.dim], Fraction(0), *e.jump[move.dim :]))


def _reshape(e: Extent, move: Reshape, shape: Shape) -> Extent:
    """Groups of dimensions that hold the same elements before and after; only where positions
    differ are they spelt out."""
    whole: list[int] = []
    after_shape: list[int] = []
    kept: dict[int, Fraction] = {}
    for before, after in _groups(shape, move.shape):
        matters = any(e.low.shape[d] > 1 for d in before)
        whole += [shape[d] if matters else 1 for d in before]
        after_shape += [move.shape[d] if matters else 1 for d in after]
        old, new = [d for d in before if shape[d] > 1], [d for d in after if move.shape[d] > 1]
        if len(old) == len(new) == 1:
            kept[new[0]] = e.jump[old[0]]
    if prod(whole) > MOST:
        return everything(e, len(move.shape))
    low, high = (np.broadcast_to(a, whole).reshape(after_shape) for a in (e.low, e.high))
    jump = tuple(kept[d] if d in kept else _slope(low, d) for d in range(len(move.shape)))
    return squeezed(low, high, jump)


def _slope(low: Positions, d: int) -> Fraction:
    """Input positions between neighbours along dimension d where all are as far apart; otherwise
    0."""
    if low.shape[d] < 2:
        return Fraction(0)
    steps = np.diff(low, axis=d)
    first = steps.flat[0]
    return Fraction(int(first)) if (steps == first).all() else Fraction(0)


def _groups(before: Shape, after: Shape) -> Iterator[tuple[list[int], list[int]]]:
    """Pairs of runs of dimensions (indices before, indices after) with equally many elements."""
    i = j = 0
    while i < len(before) or j < len(after):
        a: list[int] = []
        b: list[int] = []
        left = right = 1
        while True:
            if left == right and (a or b):
                break
            if left <= right and i < len(before):
                a.append(i)
                left *= before[i]
                i += 1
            elif j < len(after):
                b.append(j)
                right *= after[j]
                j += 1
            else:
                break
        yield a, b


def squeezed(low: Positions, high: Positions, jump: tuple[Fraction, ...]) -> Extent:
    """Along dimensions where nothing differs, size 1."""
    for d in range(low.ndim):
        if low.shape[d] > 1:
            one = (slice(None),) * d + (slice(0, 1),)
            if (low == low[one]).all() and (high == high[one]).all():
                low, high = low[one], high[one]
                jump = (*jump[:d], Fraction(0), *jump[d + 1 :])
    return Extent(low, high, jump)


def _windows(e: Extent, move: Windows, shape: Shape) -> Extent:
    d, size = move.dim, e.low.shape[move.dim]
    jump = (*e.jump[:d], e.jump[d] * move.stride, *e.jump[d + 1 :])
    if size == 1 and shape[d] != 1:
        return e
    at, shift = _continued(e, d, move.taps)
    there = move.taps != NOWHERE
    low = high = None
    for k in range(move.taps.shape[1]):
        a, b = (
            _along(shift[:, k], d, bound) + bound.take(at[:, k], d) for bound in (e.low, e.high)
        )
        if not there[:, k].all():
            seen = _along(there[:, k], d, e.low)
            a, b = np.where(seen, a, NONE), np.where(seen, b, -NONE)
        low = a if low is None else np.minimum(low, a)
        high = b if high is None else np.maximum(high, b)
    if low is None or high is None:
        raise UnknownError
    return Extent(low, high, jump)


def _continued(e: Extent, d: int, taps: Positions) -> tuple[Positions, Positions]:
    """Where the positions `taps` along dimension d are taken, and what is added to what is there:
    beyond its ends positions go on by whole periods."""
    size, period, step = e.low.shape[d], e.jump[d].denominator, e.jump[d].numerator
    at = np.where(taps == NOWHERE, 0, taps)
    before = np.where(at < 0, -(at // period), 0)
    after = np.where(at >= size, -(-(at - size + 1) // period), 0)
    return np.clip(at + (before - after) * period, 0, size - 1), (after - before) * step


def _along(values: Positions, d: int, beside: Positions) -> Positions:
    """One value for each place along dimension d, to broadcast with `beside`."""
    return values.reshape([-1 if i == d else 1 for i in range(beside.ndim)])


def _mix(e: Extent, move: Mix) -> Extent:
    if e.low.shape[move.dim] == 1:
        return e
    return _reduce(e, Reduce((move.dim,), True))


def _reduce(e: Extent, move: Reduce) -> Extent:
    low = e.low.min(axis=move.dims, keepdims=move.keep)
    high = e.high.max(axis=move.dims, keepdims=move.keep)
    jump = [Fraction(0) if d in move.dims else j for d, j in enumerate(e.jump)]
    kept = [j for d, j in enumerate(jump) if move.keep or d not in move.dims]
    return Extent(low, high, tuple(kept))


def _scatter(e: Extent, move: Scatter) -> Extent:
    if e.low.shape[move.dim] > 1:
        raise UnknownError
    return e


def everything(e: Extent, rank: int = 0) -> Extent:
    one = (1,) * rank
    return Extent(e.low.min().reshape(one), e.high.max().reshape(one), (Fraction(0),) * rank)
