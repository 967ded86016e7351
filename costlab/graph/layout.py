"""Which dimension of each tensor of a trace is batch, channel, grid or tokens, as operations move
them.

A dimension is a product of factors, each a part of an axis: a view that merges height and width
makes one dimension of two factors, windows of 7 split an axis of 56 into 8 (step 7) and 7 (step 1),
and the view back makes it one again. What an axis is follows from the operations that read it (a
convolution reads batch, channel, grid) and, where none says, from the input's rank; otherwise it is
"unknown"."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from ..trace.cached import once_per_trace
from ..trace.record import Op, Trace
from .moves import (
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

BATCH, CHANNEL, TOKENS, UNKNOWN = "batch", "channel", "tokens", "unknown"
GRID = ("depth", "height", "width", "time")
PLACES = (*GRID, TOKENS)  # roles whose elements are positions
# what an input is, by rank, where no operation says
_FLOATS = {
    2: (BATCH, CHANNEL),
    3: (BATCH, TOKENS, CHANNEL),
    4: (BATCH, CHANNEL, "height", "width"),
    5: (BATCH, CHANNEL, "depth", "height", "width"),
}
_INTS = {1: (TOKENS,), 2: (BATCH, TOKENS)}


@dataclass(frozen=True)
class Factor:
    """A part of axis `axis`: `size` positions that are `step` positions of the axis apart."""

    axis: int
    size: int
    step: int = 1


@dataclass(frozen=True)
class Dim:
    """One dimension: `size` in elements, `role` (of `BATCH`, `CHANNEL`, `GRID`, `TOKENS`,
    `UNKNOWN`), and `parts`: (role, axis, size, step) of each factor. `items`: the elements that
    belong to one item of the batch. `inner`: whether neighbours along it are neighbours on its axis
    (heads, the outer part of split channels, are not)."""

    size: int
    role: str
    parts: tuple[tuple[str, int, int, int], ...] = ()
    items: int = 1
    inner: bool = True


@dataclass(frozen=True)
class Layout:
    """The dimensions of one tensor, in order."""

    dims: tuple[Dim, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """The role of each dimension."""
        return tuple(d.role for d in self.dims)

    @property
    def channels(self) -> int | None:
        """Elements of the channel dimension; None where there is not exactly one."""
        found = self._channel()
        return None if found is None else self.dims[found].size

    @property
    def grid(self) -> tuple[int, ...]:
        """Positions along depth, height, width and time, each whole however the tensor splits it,
        or the number of tokens; () where there are neither."""
        extents: dict[str, dict[int, dict[tuple, int]]] = {}
        for d in self.dims:
            if d.role == CHANNEL:
                continue
            for role, axis, size, step in d.parts:
                if role in PLACES and size > 1:
                    extents.setdefault(role, {}).setdefault(axis, {})[axis, step] = size
            if d.role in GRID:  # channels that make it finer
                axis = next(a for role, a, _, _ in d.parts if role == d.role)
                finer = {(a, s): n for role, a, n, s in d.parts if role == CHANNEL and n > 1}
                if finer:
                    extents.setdefault(d.role, {}).setdefault(axis, {}).update(finer)
        whole = {
            role: max(prod(s.values()) for s in axes.values()) for role, axes in extents.items()
        }
        grid = tuple(whole[r] for r in GRID if r in whole)
        return grid or ((whole[TOKENS],) if TOKENS in whole else ())

    @property
    def size(self) -> str:
        """The size of one item as the papers print it: grid, then channels ("56x56x96"), tokens,
        then channels ("197x768"); channels alone as "1x1x1000"."""
        last = self._channel()
        kept = [
            (i, d.items)
            for i, d in enumerate(self.dims)
            if i != last and (d.items > 1 or not self._of_batch(i))
        ]
        shown = [n for _, n in kept]
        if last is None:
            return "x".join(map(str, shown or [1]))
        if not shown and len(self.dims) == 2:
            shown = [1, 1]
        return "x".join(map(str, (*shown, self.dims[last].size)))

    def _of_batch(self, i):
        d = self.dims[i]
        return d.role == BATCH or (i == 0 and d.size == 1 and BATCH not in self.roles)

    def _channel(self):
        """The dimension of the channels: of heads and what is in each, the latter; alone, heads are
        none."""
        channels = [i for i, d in enumerate(self.dims) if d.role == CHANNEL]
        inner = [i for i in channels if self.dims[i].inner]
        found = [i for i in inner if self.dims[i].size > 1] or inner
        if not found:
            found = [i for i in channels if self._finest(i)]
        return found[0] if len(found) == 1 else None

    def _finest(self, i):
        """Whether what is finer than the channels along dimension i makes the grid finer (a pixel
        shuffle)."""
        role, axis, _, step = self.dims[i].parts[-1]
        places = [d for d in self.dims if d.role in PLACES]
        return prod(n for d in places for _, a, n, _ in d.parts if a == axis) == step


@dataclass
class _Axis:
    """An axis while roles are still found: its `role`, or that of its `parents`; `features` where
    it is new channels of them."""

    size: int
    role: str | None = None
    parents: tuple[int, ...] = ()
    features: bool = False
    likely: str | None = None
    joined: list[tuple[int, int, tuple[Factor, ...]]] = field(default_factory=list)


_Dims = tuple[tuple[Factor, ...], ...]


class Layouts:
    """The layouts of a trace's tensors, by index."""

    def __init__(self, trace: Trace):
        self._trace = trace
        self._axes: list[_Axis] = []
        self._dims: dict[int, _Dims] = {}
        self._roles: dict[int, str] = {}
        self._found: dict[int, Layout] = {}
        # the second axis of an input of three dimensions, to the third: which are channels,
        # operations say
        self._sequences: dict[int, int] = {}
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
            self._found[tensor] = Layout(tuple(map(self._dim, dims, shape)))
        return self._found[tensor]

    # --- inputs and outputs ---

    def _axis(self, size, **known) -> Factor:
        self._axes.append(_Axis(size, **known))
        return Factor(len(self._axes) - 1, size)

    def _input(self, i):
        tensor = self._trace.tensors[i]
        by_rank = _FLOATS if "float" in tensor.dtype or "complex" in tensor.dtype else _INTS
        likely = by_rank.get(len(tensor.shape), (UNKNOWN,) * len(tensor.shape))
        self._dims[i] = tuple(
            (self._axis(n, likely=role),) for n, role in zip(tensor.shape, likely, strict=True)
        )
        if len(likely) == 3 and likely[1] == TOKENS:
            (_, (second,), (third,)) = self._dims[i]
            self._sequences[second.axis] = third.axis

    def _output(self, op: Op, place: int) -> _Dims:
        shape = self._trace.tensors[op.outputs[place]].shape
        if op.name == "costlab.write":
            found = [self._dims[i] for i in op.inputs if i in self._dims]
            return self._together([d for d in found if len(d) == len(shape)], shape)
        how = plan(self._trace, op, place)
        if how is None:
            same = [i for i in op.inputs if self._trace.tensors[i].shape == shape]
            return next((self._dims[i] for i in same if i in self._dims), ((),) * len(shape))
        return self._planned(op, how, shape)

    def _filled(self, dims, shape) -> _Dims:
        """With an unknown axis for each dimension of which nothing is known."""
        return tuple(
            f or ((self._axis(n),) if n > 1 else ()) for f, n in zip(dims, shape, strict=True)
        )

    def _planned(self, op, how: Plan, shape) -> _Dims:
        self._read(op, how)
        moved = []
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

    def _read(self, op, how: Plan):
        """What the operation takes the dimensions of its first operand to be."""
        dims = self._dims.get(op.inputs[0]) if op.inputs else None
        for d, role in how.roles:
            if dims and d < len(dims) and len(dims[d]) == 1:
                self._settle(dims[d][0].axis, role)
        if how.features:
            _, a, d = how.features
            dims = self._dims.get(op.inputs[a])
            if (
                dims
                and dims[d]
                and self._dims.get(op.inputs[a + 1]) is None
                and self._bare(dims[d])
            ):
                self._settle(dims[d][0].axis, CHANNEL)

    def _settle(self, axis, role):
        """An axis without a role gets one; through what it was made of, if that is one axis."""
        a = self._axes[axis]
        while len(a.parents) == 1 and not a.features:
            axis = a.parents[0]
            a = self._axes[axis]
        if a.role is None and not a.parents:
            a.role = role
            if role == CHANNEL and axis in self._sequences:  # channels first
                self._axes[self._sequences[axis]].likely = "time"

    def _with_features(self, op, how, dims, shape):
        """New channels where no operand has the dimension: what a product makes of the one that it
        sums over, or a table's rows."""
        if how.features:
            _, a, d = how.features
            source = self._dims.get(op.inputs[a])
            at = len(shape) - 1
            if source and not dims[at]:
                made = self._axis(shape[at], parents=_axes_of(source[d]), features=True)
                return (*dims[:at], (made,))
        if how.channels is not None:
            at = how.channels
            return (*dims[:at], (self._axis(shape[at], role=CHANNEL),), *dims[at + 1 :])
        return dims

    # --- moves ---

    def _moved(self, dims: _Dims, move) -> _Dims | None:
        match move:
            case Permute(order):
                return tuple(dims[i] for i in order)
            case Reshape(shape):
                return _regrouped(dims, shape)
            case Insert(dim):
                return (*dims[:dim], (), *dims[dim:])
            case Windows(dim, taps, _):
                return _with(dims, dim, self._windowed(dims[dim], taps))
            case Mix(dim, size, features):
                if not features and prod(f.size for f in dims[dim]) == size:
                    return dims
                made = self._axis(size, parents=_axes_of(dims[dim]), features=features)
                return _with(dims, dim, (made,) if dims[dim] else ())
            case Scatter(dim, size):
                made = self._axis(size, parents=_axes_of(dims[dim]))
                return _with(dims, dim, (made,) if dims[dim] else ())
            case Reduce(reduced, keep):
                one = {d: tuple(Factor(f.axis, 1) for f in dims[d][:1]) for d in reduced}
                kept = [one.get(d, factors) for d, factors in enumerate(dims)]
                return tuple(f for d, f in enumerate(kept) if keep or d not in one)
        return None  # everything: no dimension is left

    def _windowed(self, factors, taps):
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
        return (self._axis(count, parents=_axes_of(factors)),)

    def _joined(self, op, dim, moved, size):
        """A new axis along which tensors are joined, that remembers its parts."""
        known = [m[dim] for m in moved if m is not None and m[dim]]
        if not known:
            return ()
        largest = max(known, key=lambda factors: prod(f.size for f in factors))
        if all(f.size == 1 for f in largest):  # a stack: what is side by side is not known
            return ()
        made = self._axis(size, parents=_axes_of(largest))
        start = 0
        for i, m in enumerate(moved):
            n = self._trace.tensors[op.inputs[i]].shape
            n = n[dim] if len(n) == len(moved[0] or ()) or m is not None else 1
            n = prod(f.size for f in m[dim]) if m is not None and m[dim] else n
            self._axes[made.axis].joined.append((start, start + n, m[dim] if m else ()))
            start += n
        return (made,)

    def _together(self, operands, shape, skip=None) -> _Dims:
        """Broadcast: of each dimension what the first operand says that has its size, or one of
        size 1."""
        found = []
        for d, n in enumerate(shape):
            back = len(shape) - d
            there = [o[len(o) - back] for o in operands if len(o) >= back]
            whole = [f for f in there if f and prod(x.size for x in f) == n]
            known = [f for f in whole if not self._bare(f)]
            found.append(() if d == skip or not whole else (known or whole)[0])
        return tuple(found)

    def _bare(self, factors) -> bool:
        """Whether nothing is known of the axes."""
        axes = [self._axes[f.axis] for f in factors]
        return all(not (a.role or a.likely or a.parents) for a in axes)

    # --- roles ---

    def _role(self, axis) -> str:
        if axis not in self._roles:
            a = self._axes[axis]
            self._roles[axis] = a.role or a.likely or UNKNOWN
            if not a.role and a.parents:
                self._roles[axis] = self._inherited(a)
        return self._roles[axis]

    def _inherited(self, a: _Axis) -> str:
        roles = {self._role(p) for p in a.parents}
        if a.features:
            return TOKENS if roles <= set(PLACES) else CHANNEL
        if len(roles) == 1:
            return roles.pop()
        if roles <= set(PLACES):
            return TOKENS
        return BATCH if BATCH in roles else CHANNEL if CHANNEL in roles else UNKNOWN

    def _dim(self, factors, size) -> Dim:
        parts = tuple((self._role(f.axis), f.axis, f.size, f.step) for f in factors)
        role = self._mixed(factors)
        batch = prod(n for role, _, n, _ in parts if role == BATCH)
        inner = any(f.step == 1 for f in factors if f.size > 1) or size == 1
        return Dim(size, role, parts, size // max(1, batch), inner)

    def _mixed(self, factors) -> str:
        """The role of a dimension of several factors: batch wins (windows are items); channels win
        over the inside of a patch, and lose to a whole grid axis that they make finer."""
        if any(self._role(f.axis) == BATCH for f in factors):
            return BATCH
        shown = [f for f in factors if f.size > 1] or factors[:1]
        roles = {self._role(f.axis) for f in shown}
        if not roles:
            return UNKNOWN
        if len(roles) == 1:
            return roles.pop()
        if roles <= set(PLACES):
            return TOKENS
        if UNKNOWN in roles:
            return UNKNOWN
        if any(self._role(f.axis) == CHANNEL and self._complete(f.axis, shown) for f in shown):
            return CHANNEL
        places = [self._role(f.axis) for f in shown if self._role(f.axis) != CHANNEL]
        return places[0] if len(set(places)) == 1 else TOKENS

    def _complete(self, axis, factors):
        return prod(f.size for f in factors if f.axis == axis) == self._axes[axis].size


@once_per_trace
def layouts(trace: Trace) -> Layouts:
    """The layouts of a trace; worked out once and kept with it."""
    return Layouts(trace)


def _axes_of(factors) -> tuple[int, ...]:
    return tuple(dict.fromkeys(f.axis for f in factors if f.size > 1)) or tuple(
        f.axis for f in factors[:1]
    )


def _with(dims, d, factors):
    return (*dims[:d], factors, *dims[d + 1 :])


def _regrouped(dims: _Dims, shape) -> _Dims:
    """The factors in their order, dealt out to the dimensions of `shape`; nothing is known from
    where one is cut unevenly."""
    pending, found = [f for factors in dims for f in factors], []
    for n in shape:
        taken = _dealt(pending, n)
        if taken is None:
            return (*found, *((),) * (len(shape) - len(found)))
        found.append(_merged(taken))
    return tuple(found)


def _dealt(pending: list[Factor], n: int):
    """Take factors off the front that make n elements."""
    if n == 1:
        return [pending.pop(0)] if pending and pending[0].size == 1 else []
    taken, left = [], n
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


def _merged(factors) -> tuple[Factor, ...]:
    """Neighbouring parts of one axis become one part again."""
    found: list[Factor] = []
    for f in factors:
        last = found[-1] if found else None
        if last and last.axis == f.axis and last.step == f.size * f.step:
            found[-1] = Factor(f.axis, last.size * f.size, f.step)
        else:
            found.append(f)
    return tuple(found)
