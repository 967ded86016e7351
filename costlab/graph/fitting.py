"""Whether the operations of a trace that was read fit the rules by which they move positions."""

from __future__ import annotations

from itertools import zip_longest
from math import prod

from ..cost.fitting import UNFIT, unfit
from ..trace.files import on_load
from ..trace.record import Op, Trace
from ..trace.decoded import MisfitError
from .layers import layer_graph
from .layout import layouts
from .moves import (
    Everything,
    Insert,
    Mix,
    Move,
    Permute,
    Plan,
    Reduce,
    Reshape,
    Scatter,
    Shape,
    Windows,
    plan,
)
from .receptive_field.extents import shape_after


_NOTHING = (0,)  # joined to tensors of any shape: how an empty list of tensors begins in old code


@on_load
def require_moves(trace: Trace) -> None:
    """Refuse a trace of which an operation's inputs, moved as its rule says, do not give its
    output: a reshape to other elements, a window along a dimension that is not there. Raises
    MisfitError."""
    for k, op in enumerate(trace.forward):
        try:
            fits = all(_fits(trace, op, place) for place in range(len(op.outputs)))
        except UNFIT as e:
            raise unfit(k, op) from e
        if not fits:
            raise unfit(k, op)
    try:
        layer_graph(trace)
        layouts(trace)
    except UNFIT as e:
        raise MisfitError("its operations do not form a graph") from e


def _fits(trace: Trace, op: Op, place: int) -> bool:
    found = plan(trace, op, place)
    if found is None:
        return True
    shape = trace.tensors[op.outputs[place]].shape
    starts = [(trace.tensors[op.inputs[o.place]].shape, o.moves) for o in found.operands]
    return all(
        _reaches(start, moves, shape, found)
        for start, moves in starts
        if found.concat is None or start != _NOTHING
    )


def _reaches(start: Shape, moves: tuple[Move, ...], end: Shape, how: Plan) -> bool:
    """Whether the moves can be made one after the other, and lead to a shape that is broadcast to,
    or joined to, `end`."""
    shape = start
    for move in moves:
        if not _can(move, shape):
            return False
        shape = shape_after(move, shape)
    if len(shape) > len(end):
        return False
    pairs = list(zip_longest(reversed(shape), reversed(end), fillvalue=1))
    joined = len(end) - 1 - how.concat if how.concat is not None else None
    return all(a in (1, b) or i == joined for i, (a, b) in enumerate(pairs))


def _can(move: Move, shape: Shape) -> bool:
    """Whether a tensor of this shape can be moved so."""
    n = len(shape)
    match move:
        case Permute(order):
            return sorted(order) == list(range(n))
        case Reshape(new):
            return prod(new) == prod(shape)
        case Insert(dim):
            return 0 <= dim <= n
        case Reduce(dims, _):
            return all(0 <= d < n for d in dims)
        case Windows() | Mix() | Scatter():
            return 0 <= move.dim < n
        case Everything():
            return True
