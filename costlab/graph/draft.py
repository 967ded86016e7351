"""Layers while the operations of a trace are still added to them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from ..trace.record import Op


@dataclass
class Draft:
    """A node while operations are still added to it."""

    kind: str
    op: Op | None
    output: int
    preds: tuple[int, ...]
    ops: list[Op]
    idom: int
    shape: Geometry
    weights: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Geometry:
    """Input and output shape of a layer; kernel, stride and dilation, one per spatial dimension."""

    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1

    @property
    def flat(self) -> Geometry:
        """torch runs 1-d pools as 2-d ones on a grid of one row: without that row."""
        return Geometry(
            (*self.before[:2], *self.before[3:]),
            (*self.after[:2], *self.after[3:]),
            self.kernel[1:],
            self.stride[1:],
            self.dilation[1:],
            self.groups,
        )


@dataclass
class Near:
    """The layers of one call of a module, in order, to find the one that comes after an operation.

    `latest[i]` is the latest place, in the order of execution, of an operation of `layers[:i + 1]`.
    These places only grow, so a search takes logarithmic time."""

    layers: list[Draft] = field(default_factory=list)
    latest: list[int] = field(default_factory=list)

    def add(self, place: int, layer: Draft) -> None:
        """An operation of a layer, at its place in the order of execution."""
        self.layers.append(layer)
        self.latest.append(max(place, self.latest[-1] if self.latest else place))

    def after(self, place: int) -> Draft:
        """The first layer with an operation after a place, or the last layer."""
        found = bisect_right(self.latest, place)
        return self.layers[min(found, len(self.layers) - 1)]
