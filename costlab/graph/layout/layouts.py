"""The layouts of a trace's tensors, operation by operation."""

from __future__ import annotations

from math import prod

import numpy as np

from ...trace.cached import once_per_trace
from ...trace.record import Op, Trace
from ..moves import (
    Everything,
    Insert,
    Mix,
    Move,
    Permute,
    Plan,
    Positions,
    Reduce,
    Reshape,
    Scatter,
    Shape,
    Windows,
    plan,
)
from .axes import Axes
from .factors import Dims, axes_of, regrouped, replaced
from .record import BATCH, CHANNEL, TOKENS, UNKNOWN, Factor, Layout

# what an input is, by rank, where no operation says
_FLOATS = {
    2: (BATCH, CHANNEL),
    3: (BATCH, TOKENS, CHANNEL),
    4: (BATCH, CHANNEL, "height", "width"),
    5: (BATCH, CHANNEL, "depth", "height", "width"),
}
_INTS = {1: (TOKENS,), 2: (BATCH, TOKENS)}


class Layouts:
    """The layouts of a trace's tensors, by index."""

    def __init__(self, trace: Trace):
        self._trace = trace
        self._axes = Axes()
        self._dims: dict[int, Dims] = {}
        self._found: dict[int, Layout] = {}
        for i in trace.inputs:
            self._input(i)
        for op in trace.forward:
            if any(i in self._dims for i in op.inputs):
                for place, out in enumerate(op.outputs):
                    shape = trace.tensors[out].shape
                    self._dims[out] = self._filled(self._output(op, place), shape)

    def __getitem__(self, tensor: int) -> Layout:
        """The layout of a tensor; all unknown for one that no input leads to."""
        if tensor not in self._found:
            shape = self._trace.tensors[tensor].shape
            dims = self._dims.get(tensor, ((),) * len(shape))
            self._found[tensor] = Layout(tuple(map(self._axes.dim, dims, shape)))
        return self._found[tensor]

    # --- inputs and outputs ---

    def _input(self, i: int) -> None:
        tensor = self._trace.tensors[i]
        by_rank = _FLOATS if "float" in tensor.dtype or "complex" in tensor.dtype else _INTS
        likely = by_rank.get(len(tensor.shape), (UNKNOWN,) * len(tensor.shape))
        self._dims[i] = tuple(
            (self._axes.new(n, likely=role),) for n, role in zip(tensor.shape, likely, strict=True)
        )
        if len(likely) == 3 and likely[1] == TOKENS:
            (_, (second,), (third,)) = self._dims[i]
            self._axes.sequences[second.axis] = third.axis

    def _output(self, op: Op, place: int) -> Dims:
        shape = self._trace.tensors[op.outputs[place]].shape
        if op.name == "costlab.write":
            found = [self._dims[i] for i in op.inputs if i in self._dims]
            return self._together([d for d in found if len(d) == len(shape)], shape)
        how = plan(self._trace, op, place)
        if how is None:
            same = [i for i in op.inputs if self._trace.tensors[i].shape == shape]
            return next((self._dims[i] for i in same if i in self._dims), ((),) * len(shape))
        return self._planned(op, how, shape)

    def _filled(self, dims: Dims, shape: Shape) -> Dims:
        """With an unknown axis for each dimension of which nothing is known."""
        return tuple(
            f or ((self._axes.new(n),) if n > 1 else ()) for f, n in zip(dims, shape, strict=True)
        )

    def _planned(self, op: Op, how: Plan, shape: Shape) -> Dims:
        self._read(op, how)
        moved: list[Dims | None] = []
        for operand in how.operands:
            start = self._dims.get(op.inputs[operand.place])
            if start is None:
                moved.append(None)
                continue
            for move in operand.moves:
                start = self._moved(start, move)
                if start is None:
                    break
            moved.append(start)
        known = [m for m in moved if m is not None]
        if how.concat is not None:
            dims = self._together(known, shape, skip=how.concat)
            joined = self._joined(op, how.concat, moved, shape[how.concat])
            dims = (*dims[: how.concat], joined, *dims[how.concat + 1 :])
        elif not how.operands and op.inputs:
            start = self._dims.get(op.inputs[0], ())
            dims = start if self._trace.shapes(op)[0] == shape else ((),) * len(shape)
        else:
            dims = self._together(known, shape)
        return self._with_features(op, how, dims, shape)

    def _read(self, op: Op, how: Plan) -> None:
        """What the operation takes the dimensions of its first operand to be."""
        dims = self._dims.get(op.inputs[0]) if op.inputs else None
        for d, role in how.roles:
            if dims and d < len(dims) and len(dims[d]) == 1:
                self._axes.settle(dims[d][0].axis, role)
        if how.features:
            _, a, d = how.features
            dims = self._dims.get(op.inputs[a])
            if (
                dims
                and dims[d]
                and self._dims.get(op.inputs[a + 1]) is None
                and self._axes.bare(dims[d])
            ):
                self._axes.settle(dims[d][0].axis, CHANNEL)

    def _with_features(self, op: Op, how: Plan, dims: Dims, shape: Shape) -> Dims:
        """New channels where no operand has the dimension: what a product makes of the one that it
        sums over, or a table's rows."""
        if how.features:
            _, a, d = how.features
            source = self._dims.get(op.inputs[a])
            at = len(shape) - 1
            if source and not dims[at]:
                part = self._axes.new(shape[at], parents=axes_of(source[d]), features=True)
                return (*dims[:at], (part,))
        if how.channels is not None:
            at = how.channels
            return (*dims[:at], (self._axes.new(shape[at], role=CHANNEL),), *dims[at + 1 :])
        return dims

    # --- moves ---

    def _moved(self, dims: Dims, move: Move) -> Dims | None:
        match move:
            case Permute(order):
                return tuple(dims[i] for i in order)
            case Reshape(shape):
                return regrouped(dims, shape)
            case Insert(dim):
                return (*dims[:dim], (), *dims[dim:])
            case Windows(dim, taps, _):
                return replaced(dims, dim, self._windowed(dims[dim], taps))
            case Mix(dim, size, features):
                if not features and prod(f.size for f in dims[dim]) == size:
                    return dims
                part = self._axes.new(size, parents=axes_of(dims[dim]), features=features)
                return replaced(dims, dim, (part,) if dims[dim] else ())
            case Scatter(dim, size):
                part = self._axes.new(size, parents=axes_of(dims[dim]))
                return replaced(dims, dim, (part,) if dims[dim] else ())
            case Reduce(reduced, keep):
                one = {d: tuple(Factor(f.axis, 1) for f in dims[d][:1]) for d in reduced}
                kept = [one.get(d, factors) for d, factors in enumerate(dims)]
                return tuple(f for d, f in enumerate(kept) if keep or d not in one)
            case Everything():
                return None  # no dimension is left

    def _windowed(self, factors: tuple[Factor, ...], taps: Positions) -> tuple[Factor, ...]:
        """The same axis where all positions stay or change places; part of a joined one as it was
        before; otherwise a new one."""
        size, count = prod(f.size for f in factors), len(taps)
        if not factors:
            return ()
        if taps.shape[1] == 1 and count:
            first = taps[:, 0]
            if count == size and np.array_equal(np.sort(first), np.arange(size)):
                return factors
            if len(factors) == 1 and factors[0].step == 1 and np.all(np.diff(first) == 1):
                for a, b, part in self._axes[factors[0].axis].joined:
                    if (a, b) == (first[0], first[-1] + 1) and part:
                        return part
        return (self._axes.new(count, parents=axes_of(factors)),)

    def _joined(self, op: Op, dim: int, moved: list[Dims | None], size: int) -> tuple[Factor, ...]:
        """A new axis along which tensors are joined, that remembers its parts."""
        known = [m[dim] for m in moved if m is not None and m[dim]]
        if not known:
            return ()
        largest = max(known, key=lambda factors: prod(f.size for f in factors))
        if all(f.size == 1 for f in largest):  # a stack: what is side by side is not known
            return ()
        part = self._axes.new(size, parents=axes_of(largest))
        start = 0
        for i, m in enumerate(moved):
            n = self._trace.tensors[op.inputs[i]].shape
            n = n[dim] if len(n) == len(moved[0] or ()) or m is not None else 1
            n = prod(f.size for f in m[dim]) if m is not None and m[dim] else n
            self._axes[part.axis].joined.append((start, start + n, m[dim] if m else ()))
            start += n
        return (part,)

    def _together(self, operands: list[Dims], shape: Shape, skip: int | None = None) -> Dims:
        """Broadcast: of each dimension what the first operand says that has its size, or one of
        size 1."""
        found: list[tuple[Factor, ...]] = []
        for d, n in enumerate(shape):
            back = len(shape) - d
            there = [o[len(o) - back] for o in operands if len(o) >= back]
            whole = [f for f in there if f and prod(x.size for x in f) == n]
            known = [f for f in whole if not self._axes.bare(f)]
            found.append(() if d == skip or not whole else (known or whole)[0])
        return tuple(found)


@once_per_trace
def layouts(trace: Trace) -> Layouts:
    """The layouts of a trace; worked out once and kept with it."""
    return Layouts(trace)
