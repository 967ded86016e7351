"""Receptive fields: which input positions each position of a tensor sees, through every operation
that moves or mixes them.

For each dimension of the input's grid a tensor has the first and last position that its elements
see, as arrays that broadcast to its shape: along a dimension that does not matter they have size 1.
Padding continues them past the edge, so that the field of a layer is that of the papers (Araujo et
al. 2019, Computing Receptive Fields, eq. 1 to 3), not what the edge of the image cuts off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...trace.cached import once_per_trace
from ...trace.record import Op, Trace
from ..layout import PLACES, layouts
from ..moves import MOST, Positions, Shape, plan
from .extents import Extent, State, UnknownError, moved
from .operands import concatenated, sizes_along, union


@dataclass(frozen=True)
class Field:
    """What one element sees at most: `size` in input positions, and `jump`, input positions between
    neighbours, a dimension of the input's grid each."""

    size: tuple[int, ...]
    jump: tuple[Fraction, ...]


class Fields:
    """The receptive field of each tensor of a trace, by index: None where it is not known, or where
    there is no grid."""

    def __init__(self, trace: Trace):
        self._trace = trace
        self._states: dict[int, State | None] = {}
        self._found: dict[int, Field | None] = {}
        places = self._input_places()
        if not places:
            return
        for i in trace.inputs:
            self._states[i] = start(trace.tensors[i].shape, places)
        for op in trace.forward:
            if any(i in self._states for i in op.inputs):
                for place, out in enumerate(op.outputs):
                    self._record(op, place, out)

    def __getitem__(self, tensor: int) -> Field | None:
        """The field of a tensor."""
        if tensor not in self._found:
            state = self._states.get(tensor)
            self._found[tensor] = field_of(state) if state else None
        return self._found[tensor]

    def seen(self, tensor: int) -> tuple[tuple[Positions, Positions], ...] | None:
        """(first, last) input position along each dimension of the input's grid, as arrays that
        broadcast to the tensor's shape; None where that is not known. Padding counts as positions
        outside the input."""
        state = self._states.get(tensor)
        return None if state is None else tuple((e.low, e.high) for e in state)

    def _input_places(self) -> tuple[int, ...]:
        """The dimensions of the first input that are positions; none for token ids, whose order is
        no grid, and for more positions than are worked out."""
        if not self._trace.inputs:
            return ()
        first = self._trace.inputs[0]
        tensors = self._trace.tensors
        sizes = [n for i in self._trace.inputs for n in tensors[i].shape]
        if "float" not in tensors[first].dtype or max(sizes, default=0) > MOST:
            return ()
        return tuple(d for d, r in enumerate(layouts(self._trace)[first].roles) if r in PLACES)

    def _record(self, op: Op, place: int, out: int) -> None:
        try:
            state = self._state(op, place, self._trace.tensors[out].shape)
        except UnknownError:
            self._states[out] = None
            return
        if state is not None:
            self._states[out] = state

    def _state(self, op: Op, place: int, shape: Shape) -> State | None:
        if op.name == "costlab.write":
            return self._written(op, shape)
        how = plan(self._trace, op, place)
        if how is None:
            raise UnknownError
        states: list[State | None] = []
        for operand in how.operands:
            i = op.inputs[operand.place]
            if i not in self._states:
                states.append(None)
                continue
            state = self._states[i]
            if state is None:
                raise UnknownError
            states.append(moved(state, operand.moves, self._trace.tensors[i].shape))
        known = [s for s in states if s is not None]
        if not known:
            return None
        if how.concat is not None:
            sizes = sizes_along(self._trace, op, how, how.concat)
            return concatenated(states, sizes, how.concat, len(shape))
        return union(known, len(shape))

    def _written(self, op: Op, shape: Shape) -> State | None:
        """The receptive field of a tensor that an operation wrote to through views of it: the union
        of those of its inputs. Raises UnknownError where a view has another rank, or another size
        in a dimension along which receptive fields differ, so that positions may have moved."""
        states: list[State] = []
        for i in op.inputs:
            state, there = self._states.get(i), self._trace.tensors[i].shape
            if i in self._states and state is None:
                raise UnknownError
            if state is None:
                continue
            if len(there) != len(shape):
                raise UnknownError
            for d, (a, b) in enumerate(zip(there, shape, strict=True)):
                if a != b and any(e.low.shape[d] > 1 for e in state):
                    raise UnknownError
            states.append(state)
        return union(states, len(shape)) if states else None


@once_per_trace
def fields(trace: Trace) -> Fields:
    """The receptive fields of a trace; worked out once and kept with it."""
    return Fields(trace)


def start(shape: Shape, places: Iterable[int]) -> State:
    found: list[Extent] = []
    for d in places:
        if d >= len(shape):
            continue
        at = np.arange(shape[d]).reshape([-1 if i == d else 1 for i in range(len(shape))])
        found.append(Extent(at, at, tuple(Fraction(i == d) for i in range(len(shape)))))
    return tuple(found)


def field_of(state: State) -> Field:
    sizes = tuple(int(max(1, (e.high - e.low).max() + 1)) for e in state)
    return Field(sizes, tuple(max((abs(j) for j in e.jump), default=Fraction(0)) for e in state))
