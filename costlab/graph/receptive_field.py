"""Receptive fields: which input positions each position of a tensor sees, through every operation
that moves or mixes them.

For each dimension of the input's grid a tensor has the first and last position that its elements
see, as arrays that broadcast to its shape: along a dimension that does not matter they have size 1.
Padding continues them past the edge, so that the field of a layer is that of the papers (Araujo et
al. 2019, Computing Receptive Fields, eq. 1 to 3), not what the edge of the image cuts off."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from ..trace.cached import once_per_trace
from ..trace.record import Op, Trace
from .layout import PLACES, layouts
from .moves import (
    NOWHERE,
    Everything,
    Insert,
    Mix,
    Permute,
    Plan,
    Reduce,
    Reshape,
    Scatter,
    Windows,
    plan,
)

_NONE = 1 << 40  # first position of what sees nothing; the last one is its negative
_MOST = 1 << 21  # elements of an array; larger ones are put together


@dataclass(frozen=True)
class Field:
    """What one element sees at most: `size` in input positions, and `jump`, input positions between
    neighbours, a dimension of the input's grid each."""

    size: tuple[int, ...]
    jump: tuple[Fraction, ...]


@dataclass(frozen=True, eq=False)
class _Extent:
    """First (`low`) and last (`high`) position along one input dimension, and the `jump` of both
    along each dimension of the tensor."""

    low: np.ndarray
    high: np.ndarray
    jump: tuple[Fraction, ...]


class _UnknownError(Exception):
    """Positions depend on values, or on an operation without a rule."""


_State = tuple[_Extent, ...]


class Fields:
    """The receptive field of each tensor of a trace, by index: None where it is not known, or where
    there is no grid."""

    def __init__(self, trace: Trace):
        self._trace = trace
        self._states: dict[int, _State | None] = {}
        self._found: dict[int, Field | None] = {}
        places = self._input_places()
        if not places:
            return
        for i in trace.inputs:
            self._states[i] = _start(trace.tensors[i].shape, places)
        for op in trace.forward:
            if any(i in self._states for i in op.inputs):
                for place, out in enumerate(op.outputs):
                    self._record(op, place, out)

    def __getitem__(self, tensor: int) -> Field | None:
        """The field of a tensor."""
        if tensor not in self._found:
            state = self._states.get(tensor)
            self._found[tensor] = _field(state) if state else None
        return self._found[tensor]

    def seen(self, tensor: int) -> tuple[tuple[np.ndarray, np.ndarray], ...] | None:
        """(first, last) input position along each dimension of the input's grid, as arrays that
        broadcast to the tensor's shape; None where that is not known. Padding counts as positions
        outside the input."""
        state = self._states.get(tensor)
        return None if state is None else tuple((e.low, e.high) for e in state)

    def _input_places(self) -> tuple[int, ...]:
        """The dimensions of the first input that are positions; none for token ids, whose order is
        no grid."""
        if not self._trace.inputs:
            return ()
        first = self._trace.inputs[0]
        if "float" not in self._trace.tensors[first].dtype:
            return ()
        return tuple(d for d, r in enumerate(layouts(self._trace)[first].roles) if r in PLACES)

    def _record(self, op: Op, place: int, out: int):
        try:
            state = self._state(op, place, self._trace.tensors[out].shape)
        except _UnknownError:
            self._states[out] = None
            return
        if state is not None:
            self._states[out] = state

    def _state(self, op: Op, place: int, shape) -> _State | None:
        if op.name == "costlab.write":
            return self._written(op, shape)
        how = plan(self._trace, op, place)
        if how is None:
            raise _UnknownError
        states = []
        for operand in how.operands:
            i = op.inputs[operand.place]
            if i not in self._states:
                states.append(None)
                continue
            state = self._states[i]
            if state is None:
                raise _UnknownError
            states.append(_moved(state, operand.moves, self._trace.tensors[i].shape))
        known = [s for s in states if s is not None]
        if not known:
            return None
        if how.concat is not None:
            sizes = _size_along(self._trace, op, how, how.concat)
            return _concatenated(states, sizes, how.concat, len(shape))
        return _union(known, len(shape))

    def _written(self, op: Op, shape) -> _State | None:
        """What was written through a view is seen along the dimensions that the view has whole;
        where it moved, that is not known."""
        states = []
        for i in op.inputs:
            state, there = self._states.get(i), self._trace.tensors[i].shape
            if i in self._states and state is None:
                raise _UnknownError
            if state is None:
                continue
            if len(there) != len(shape):
                raise _UnknownError
            for d, (a, b) in enumerate(zip(there, shape, strict=True)):
                if a != b and any(e.low.shape[d] > 1 for e in state):
                    raise _UnknownError
            states.append(state)
        return _union(states, len(shape)) if states else None


@once_per_trace
def fields(trace: Trace) -> Fields:
    """The receptive fields of a trace; worked out once and kept with it."""
    return Fields(trace)


def _start(shape, places) -> _State:
    found = []
    for d in places:
        if d >= len(shape):
            continue
        at = np.arange(shape[d]).reshape([-1 if i == d else 1 for i in range(len(shape))])
        found.append(_Extent(at, at, tuple(Fraction(i == d) for i in range(len(shape)))))
    return tuple(found)


def _field(state: _State) -> Field:
    sizes = tuple(int(max(1, (e.high - e.low).max() + 1)) for e in state)
    return Field(sizes, tuple(max((abs(j) for j in e.jump), default=Fraction(0)) for e in state))


def _moved(state: _State, moves, shape) -> _State:
    for move in moves:
        state = tuple(_MOVES[type(move)](e, move, shape) for e in state)
        shape = _shape_after(move, shape)
    return state


def _shape_after(move, shape):
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
    return ()


# --- one move of one extent ---


def _permute(e: _Extent, move: Permute, shape):
    jump = tuple(e.jump[i] for i in move.order)
    return _Extent(e.low.transpose(move.order), e.high.transpose(move.order), jump)


def _insert(e: _Extent, move: Insert, shape):
    low, high = np.expand_dims(e.low, move.dim), np.expand_dims(e.high, move.dim)
    return _Extent(low, high, (*e.jump[: move.dim], Fraction(0), *e.jump[move.dim :]))


def _reshape(e: _Extent, move: Reshape, shape):
    """Groups of dimensions that hold the same elements before and after; only where positions
    differ are they spelt out."""
    whole, after_shape, kept = [], [], {}
    for before, after in _groups(shape, move.shape):
        matters = any(e.low.shape[d] > 1 for d in before)
        whole += [shape[d] if matters else 1 for d in before]
        after_shape += [move.shape[d] if matters else 1 for d in after]
        old, new = [d for d in before if shape[d] > 1], [d for d in after if move.shape[d] > 1]
        if len(old) == len(new) == 1:
            kept[new[0]] = e.jump[old[0]]
    if prod(whole) > _MOST:
        return _everything(e, Everything(), shape, len(move.shape))
    low, high = (np.broadcast_to(a, whole).reshape(after_shape) for a in (e.low, e.high))
    jump = tuple(kept[d] if d in kept else _slope(low, d) for d in range(len(move.shape)))
    return _squeezed(low, high, jump)


def _slope(low, d) -> Fraction:
    """Input positions between neighbours along dimension d where all are as far apart; otherwise
    0."""
    if low.shape[d] < 2:
        return Fraction(0)
    steps = np.diff(low, axis=d)
    first = steps.flat[0]
    return Fraction(int(first)) if (steps == first).all() else Fraction(0)


def _groups(before, after):
    """Pairs of runs of dimensions (indices before, indices after) with equally many elements."""
    i = j = 0
    while i < len(before) or j < len(after):
        a, b, left, right = [], [], 1, 1
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


def _squeezed(low, high, jump):
    """Along dimensions where nothing differs, size 1."""
    for d in range(low.ndim):
        if low.shape[d] > 1:
            one = (slice(None),) * d + (slice(0, 1),)
            if (low == low[one]).all() and (high == high[one]).all():
                low, high = low[one], high[one]
                jump = (*jump[:d], Fraction(0), *jump[d + 1 :])
    return _Extent(low, high, jump)


def _windows(e: _Extent, move: Windows, shape):
    d, size = move.dim, e.low.shape[move.dim]
    jump = (*e.jump[:d], e.jump[d] * move.stride, *e.jump[d + 1 :])
    if size == 1 and shape[d] != 1:
        return e
    low = high = None
    for k in range(move.taps.shape[1]):
        a, b = _taken(e, d, move.taps[:, k])
        low = a if low is None else np.minimum(low, a)
        high = b if high is None else np.maximum(high, b)
    if low is None or high is None:
        raise _UnknownError
    return _Extent(low, high, jump)


def _taken(e, d, at):
    """Positions `at` along dimension d, continued past its ends by whole periods."""
    size, period, step = e.low.shape[d], e.jump[d].denominator, e.jump[d].numerator
    there = at != NOWHERE
    at = np.where(there, at, 0)
    before = np.where(at < 0, -(at // period), 0)
    after = np.where(at >= size, -(-(at - size + 1) // period), 0)
    index = np.clip(at + (before - after) * period, 0, size - 1)
    shift = ((after - before) * step).reshape([-1 if i == d else 1 for i in range(e.low.ndim)])
    there = there.reshape(shift.shape)
    low = np.where(there, e.low.take(index, d) + shift, _NONE)
    return low, np.where(there, e.high.take(index, d) + shift, -_NONE)


def _mix(e: _Extent, move: Mix, shape):
    if e.low.shape[move.dim] == 1:
        return e
    return _reduce(e, Reduce((move.dim,), True), shape)


def _reduce(e: _Extent, move: Reduce, shape):
    low = e.low.min(axis=move.dims, keepdims=move.keep)
    high = e.high.max(axis=move.dims, keepdims=move.keep)
    jump = [Fraction(0) if d in move.dims else j for d, j in enumerate(e.jump)]
    kept = [j for d, j in enumerate(jump) if move.keep or d not in move.dims]
    return _Extent(low, high, tuple(kept))


def _scatter(e: _Extent, move: Scatter, shape):
    if e.low.shape[move.dim] > 1:
        raise _UnknownError
    return e


def _everything(e: _Extent, move: Everything, shape, rank: int = 0):
    one = (1,) * rank
    return _Extent(e.low.min().reshape(one), e.high.max().reshape(one), (Fraction(0),) * rank)


_MOVES = {
    Permute: _permute,
    Reshape: _reshape,
    Insert: _insert,
    Windows: _windows,
    Mix: _mix,
    Reduce: _reduce,
    Scatter: _scatter,
    Everything: _everything,
}


# --- several operands ---


def _union(states: list[_State], rank: int) -> _State:
    if len(states) == 1 and all(e.low.ndim == rank for e in states[0]):
        return states[0]
    if len({len(state) for state in states}) > 1:
        raise _UnknownError  # fields in inputs of another number of dimensions
    return tuple(_joint(extents, rank) for extents in zip(*states, strict=True))


def _raised(e: _Extent, rank: int) -> _Extent:
    """With leading dimensions of size 1."""
    more = rank - e.low.ndim
    if not more:
        return e
    shape = (1,) * more
    return _Extent(
        e.low.reshape(shape + e.low.shape),
        e.high.reshape(shape + e.high.shape),
        (Fraction(0),) * more + e.jump,
    )


def _joint(extents, rank) -> _Extent:
    raised = [_raised(e, rank) for e in extents]
    if prod(np.broadcast_shapes(*(e.low.shape for e in raised))) > _MOST:
        raised = [_everything(e, Everything(), (), rank) for e in raised]
    low, high = raised[0].low, raised[0].high
    for e in raised[1:]:
        low, high = np.minimum(low, e.low), np.maximum(high, e.high)
    jump = tuple(max((e.jump[d] for e in raised), key=abs) for d in range(rank))
    return _Extent(low, high, jump)


def _size_along(trace, op: Op, how: Plan, dim: int) -> list[int]:
    """The size of each operand along the dimension in which they are joined."""
    sizes = []
    for operand in how.operands:
        shape = trace.tensors[op.inputs[operand.place]].shape
        for move in operand.moves:
            shape = _shape_after(move, shape)
        sizes.append(shape[dim] if len(shape) > dim else 0)
    return sizes


def _concatenated(states, sizes, dim, rank) -> _State:
    kept = [s for s in states if s is not None]
    return tuple(
        _concatenation([s[i] if s else None for s in states], sizes, dim, rank)
        for i in range(len(kept[0]))
    )


def _concatenation(extents, sizes, dim, rank) -> _Extent:
    known = [e for e in extents if e is not None and e.low.ndim == rank]
    apart = [(*e.low.shape[:dim], 1, *e.low.shape[dim + 1 :]) for e in known]
    shape = list(np.broadcast_shapes(*apart))
    lows, highs = [], []
    for e, n in zip(extents, sizes, strict=True):
        shape[dim] = n
        if e is not None and e.low.ndim != rank:
            continue  # torch takes an empty tensor of any rank
        lows.append(np.full(shape, _NONE) if e is None else np.broadcast_to(e.low, shape))
        highs.append(np.full(shape, -_NONE) if e is None else np.broadcast_to(e.high, shape))
    low, high = np.concatenate(lows, dim), np.concatenate(highs, dim)
    jump = tuple(max((e.jump[d] for e in known), key=abs) for d in range(rank))
    return _squeezed(low, high, jump)
