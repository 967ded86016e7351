"""What is known of a tensor's dimensions: roles, sizes, and the axes that they are parts of."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

BATCH, CHANNEL, TOKENS, UNKNOWN = "batch", "channel", "tokens", "unknown"
GRID = ("depth", "height", "width", "time")
PLACES = (*GRID, TOKENS)  # roles whose elements are positions


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
        extents: dict[str, dict[int, dict[tuple[int, int], int]]] = {}
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

    def _of_batch(self, i: int) -> bool:
        d = self.dims[i]
        return d.role == BATCH or (i == 0 and d.size == 1 and BATCH not in self.roles)

    def _channel(self) -> int | None:
        """The dimension of the channels: of heads and what is in each, the latter; alone, heads are
        none."""
        channels = [i for i, d in enumerate(self.dims) if d.role == CHANNEL]
        inner = [i for i in channels if self.dims[i].inner]
        found = [i for i in inner if self.dims[i].size > 1] or inner
        if not found:
            found = [i for i in channels if self._finest(i)]
        return found[0] if len(found) == 1 else None

    def _finest(self, i: int) -> bool:
        """Whether what is finer than the channels along dimension i makes the grid finer (a pixel
        shuffle)."""
        _, axis, _, step = self.dims[i].parts[-1]
        places = [d for d in self.dims if d.role in PLACES]
        return prod(n for d in places for _, a, n, _ in d.parts if a == axis) == step
