"""A layer of the layer graph, and which layers read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..trace.record import Op
from .layout import Layout

WEIGHTED = ("conv", "transposed conv", "linear")  # kinds of layers that multiply by params


@dataclass(frozen=True)
class Node:
    """One layer. `ops` are its own operation `op` and those that follow it up to the next layer;
    `preds` index earlier nodes, `idom` the immediate dominator (where a fork began). `kernel`,
    `stride`, `dilation` in elements a spatial dimension; `layout` of its output; `field` and
    `jump`: receptive field and step between neighbours, in input positions a dimension of the
    input's grid, None where that is not known or there is no grid. `weights` index the parameters
    that its own operation applies, also as views or casts of them."""

    index: int
    kind: str
    op: Op | None
    output: int
    preds: tuple[int, ...]
    ops: tuple[Op, ...]
    idom: int
    layout: Layout
    in_shape: tuple[int, ...] = ()
    out_shape: tuple[int, ...] = ()
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    field: tuple[int, ...] | None = None
    jump: tuple[Fraction, ...] | None = None
    weights: frozenset[int] = frozenset()

    @property
    def pointwise(self) -> bool:
        """A 1x1 convolution of any rank."""
        return self.kind == "conv" and set(self.kernel) == {1}

    @property
    def depthwise(self) -> bool:
        """A convolution of each channel by itself."""
        return self.kind == "conv" and self.groups == self.in_shape[1] > 1

    @property
    def width(self) -> int:
        """Output channels (features for a linear layer)."""
        return self.out_shape[1] if self.kind != "linear" else self.out_shape[-1]


def consumers(nodes: Sequence[Node]) -> list[list[int]]:
    """For each node, the nodes that read it."""
    found: list[list[int]] = [[] for _ in nodes]
    for n in nodes:
        for p in dict.fromkeys(n.preds):
            found[p].append(n.index)
    return found
