"""What several operands see together: broadcast, or joined along a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

import numpy as np

from ...trace.record import Op, Trace
from ..moves import Plan, Positions
from .extents import MOST, NONE, Extent, State, UnknownError, everything, shape_after, squeezed


def union(states: list[State], rank: int) -> State:
    if len(states) == 1 and all(e.low.ndim == rank for e in states[0]):
        return states[0]
    if len({len(state) for state in states}) > 1:
        raise UnknownError  # fields in inputs of another number of dimensions
    return tuple(_joint(extents, rank) for extents in zip(*states, strict=True))


def _raised(e: Extent, rank: int) -> Extent:
    """With leading dimensions of size 1."""
    more = rank - e.low.ndim
    if not more:
        return e
    shape = (1,) * more
    return Extent(
        e.low.reshape(shape + e.low.shape),
        e.high.reshape(shape + e.high.shape),
        (Fraction(0),) * more + e.jump,
    )


def _joint(extents: Sequence[Extent], rank: int) -> Extent:
    raised = [_raised(e, rank) for e in extents]
    if prod(np.broadcast_shapes(*(e.low.shape for e in raised))) > MOST:
        raised = [everything(e, rank) for e in raised]
    low, high = raised[0].low, raised[0].high
    for e in raised[1:]:
        low, high = np.minimum(low, e.low), np.maximum(high, e.high)
    jump = tuple(max((e.jump[d] for e in raised), key=abs) for d in range(rank))
    return Extent(low, high, jump)


def sizes_along(trace: Trace, op: Op, how: Plan, dim: int) -> list[int]:
    """The size of each operand along the dimension in which they are joined."""
    sizes: list[int] = []
    for operand in how.operands:
        shape = trace.tensors[op.inputs[operand.place]].shape
        for move in operand.moves:
            shape = shape_after(move, shape)
        sizes.append(shape[dim] if len(shape) > dim else 0)
    return sizes


def concatenated(
    states: Sequence[State | None], sizes: Sequence[int], dim: int, rank: int
) -> State:
    kept = [s for s in states if s is not None]
    return tuple(
        _concatenation([s[i] if s else None for s in states], sizes, dim, rank)
        for i in range(len(kept[0]))
    )


def _concatenation(
    extents: Sequence[Extent | None], sizes: Sequence[int], dim: int, rank: int
) -> Extent:
    known = [e for e in extents if e is not None and e.low.ndim == rank]
    apart = [(*e.low.shape[:dim], 1, *e.low.shape[dim + 1 :]) for e in known]
    shape = list(np.broadcast_shapes(*apart))
    if prod(shape) * sum(sizes) > MOST:
        return _joint([everything(e, rank) for e in known], rank)
    lows: list[Positions] = []
    highs: list[Positions] = []
    for e, n in zip(extents, sizes, strict=True):
        shape[dim] = n
        if e is not None and e.low.ndim != rank:
            continue  # torch takes an empty tensor of any rank
        lows.append(np.full(shape, NONE) if e is None else np.broadcast_to(e.low, shape))
        highs.append(np.full(shape, -NONE) if e is None else np.broadcast_to(e.high, shape))
    low, high = np.concatenate(lows, dim), np.concatenate(highs, dim)
    jump = tuple(max((e.jump[d] for e in known), key=abs) for d in range(rank))
    return squeezed(low, high, jump)
