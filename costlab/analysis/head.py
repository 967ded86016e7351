"""Classifier heads: fully connected against global average pooling, and a 1x1 convolution as a
linear layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .._result import Charted, Drawn
from ..cost import total
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace.build import traced
from ..zoo.modules import FullyConnectedHead
from . import notes


@dataclass(frozen=True)
class Head:
    """One head on (c_in, side, side): `params` elements, `macs` and `backward_macs` multiply-adds
    (None: the backward pass was not traced), `source` who uses it."""

    name: str
    source: str
    params: int
    macs: int
    backward_macs: int | None
    trace: Trace


@dataclass(frozen=True)
class Heads(Charted, Drawn):
    """Heads on one feature map; `difference` is the largest one between a 1x1 convolution and a
    linear layer on the same weights and random data, in float64."""

    input: tuple[int, int, int]
    classes: int
    heads: tuple[Head, ...]
    difference: float

    chart_kind = "head"

    @property
    def drawings(self) -> list[tuple[str, Trace]]:
        """The heads."""
        return [("", h.trace) for h in self.heads]

    @property
    def sheet(self) -> Sheet:
        """A row a head."""
        first = self.heads[0]
        columns = _COLUMNS if first.backward_macs is None else (*_COLUMNS, _BACKWARD)
        channels, side, _ = self.input
        return Sheet(
            f"heads on {side}x{side}x{channels}, {self.classes} classes",
            columns,
            tuple(_row(head, first) for head in self.heads),
            notes.heads(self.difference),
        )


_COLUMNS = (
    Column("head"),
    Column("as in"),
    Column("params", "params"),
    Column("to the first", "", format=".4f"),
    Column("MACs", "MACs"),
    Column("MACs to the first", "", format=".4f"),
)
_BACKWARD = Column("backward", "MACs")


def _row(head: Head, first: Head) -> dict[str, Any]:
    return {
        "head": head.name,
        "as in": head.source,
        "params": head.params,
        "to the first": head.params / first.params,
        "MACs": head.macs,
        "MACs to the first": head.macs / first.macs,
        "backward": head.backward_macs,
    }


def pointwise_difference(c_in: int = 64, c_out: int = 32, seed: int = 0) -> float:
    """The largest absolute difference between a 1x1 convolution and the linear layer with its
    weights at every position."""
    generator = torch.Generator().manual_seed(seed)
    weight, bias, x = (
        torch.rand(*shape, dtype=torch.float64, generator=generator)
        for shape in ((c_out, c_in), (c_out,), (2, c_in, 5, 5))
    )
    one = nn.functional.conv2d(x, weight[:, :, None, None], bias)
    other = nn.functional.linear(x.permute(0, 2, 3, 1), weight, bias).permute(0, 3, 1, 2)
    return float((one - other).abs().max())


def heads(
    c_in: int = 256, side: int = 6, classes: int = 1000, hidden: int = 4096, train: bool = False
) -> Heads:
    """Trace each head on a (c_in, side, side) feature map, with `train` its backward pass too.

    Raises ValueError for sizes below 1."""
    if min(c_in, side, classes, hidden) < 1:
        raise ValueError("channels, side, classes and hidden units must be integers of at least 1")
    shape = (1, c_in, side, side)
    kinds = _kinds(c_in, side, classes, hidden)
    found = tuple(_traced(kind, shape, train) for kind in kinds)
    return Heads((c_in, side, side), classes, found, pointwise_difference())


@dataclass(frozen=True)
class _Kind:
    """A head to be traced: who uses it, and what builds it."""

    name: str
    source: str
    build: Callable[[], nn.Module]


def _kinds(c_in: int, side: int, classes: int, hidden: int) -> tuple[_Kind, ...]:
    """The heads of the papers for one feature map, the largest first."""
    return (
        _Kind(
            f"fully connected {hidden}, {hidden}, {classes}",
            "AlexNet, VGG",
            lambda: FullyConnectedHead(c_in, side, classes, hidden),
        ),
        _Kind(
            f"fully connected {classes}",
            "one layer",
            lambda: nn.Sequential(nn.Flatten(), nn.Linear(c_in * side * side, classes)),
        ),
        _Kind(
            "1x1 convolution, global average pool",
            "Network in Network",
            lambda: nn.Sequential(
                nn.Conv2d(c_in, classes, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
            ),
        ),
        _Kind(
            "global average pool, linear",
            "GoogLeNet, ResNet",
            lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, classes)),
        ),
    )


def _traced(kind: _Kind, shape: tuple[int, ...], train: bool) -> Head:
    trace = traced(kind.build, shape, spec=kind.name, backward=train)
    cost = total(trace)
    backward = total(trace, trace.backward).macs if train else None
    return Head(kind.name, kind.source, cost.params, cost.macs, backward, trace)
