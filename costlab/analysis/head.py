"""Classifier heads: fully connected against global average pooling, and a 1x1 convolution as a linear layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ..cost import total
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace.build import traced
from ..zoo.modules import FullyConnectedHead


@dataclass(frozen=True)
class Head:
    """One head on (c_in, side, side): `params` elements, `macs` multiply-adds, `source` who uses it."""

    name: str
    source: str
    params: int
    macs: int
    trace: Trace


@dataclass(frozen=True)
class Heads:
    """Heads on one feature map; `difference` is the largest one between a 1x1 convolution and a linear layer on the same
    weights and random data, in float64."""

    input: tuple[int, int, int]
    classes: int
    heads: tuple[Head, ...]
    difference: float

    @property
    def sheet(self) -> Sheet:
        """A row a head."""
        first = self.heads[0]
        columns = (
            Column("head"),
            Column("as in"),
            Column("params", "params"),
            Column("to the first", "", format=".4f"),
            Column("MACs", "MACs"),
            Column("MACs to the first", "", format=".4f"),
            *([Column("backward", "MACs")] if first.trace.trained else ()),
        )
        rows = tuple(
            {
                "head": h.name,
                "as in": h.source,
                "params": h.params,
                "to the first": h.params / first.params,
                "MACs": h.macs,
                "MACs to the first": h.macs / first.macs,
                "backward": total(h.trace, h.trace.backward).macs,
            }
            for h in self.heads
        )
        c, side, _ = self.input
        return Sheet(
            f"heads on {side}x{side}x{c}, {self.classes} classes",
            columns,
            rows,
            (
                f"a 1x1 convolution and a linear layer with the same weights differ by at most {self.difference:.1e} (float64, random data): they are one",
                "fully connected layers hold most params of AlexNet and VGG, and few of their MACs: pooling saves memory more than compute",
                "counts by tracing each; params with biases; one MAC = one multiply-add",
            ),
        )


def pointwise_difference(c_in: int = 64, c_out: int = 32, seed: int = 0) -> float:
    """The largest absolute difference between a 1x1 convolution and the linear layer with its weights at every position."""
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
    """Trace each head on a (c_in, side, side) feature map, with `train` its backward pass too. Raises ValueError for sizes below 1."""
    if min(c_in, side, classes, hidden) < 1:
        raise ValueError("channels, side, classes and hidden units are whole numbers from 1")
    makers = [
        (
            f"fully connected {hidden}, {hidden}, {classes}",
            "AlexNet, VGG",
            lambda: FullyConnectedHead(c_in, side, classes, hidden),
        ),
        (
            f"fully connected {classes}",
            "one layer",
            lambda: nn.Sequential(nn.Flatten(), nn.Linear(c_in * side * side, classes)),
        ),
        (
            "1x1 convolution, global average pool",
            "Network in Network",
            lambda: nn.Sequential(
                nn.Conv2d(c_in, classes, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
            ),
        ),
        (
            "global average pool, linear",
            "GoogLeNet, ResNet",
            lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, classes)),
        ),
    ]
    found = []
    for name, source, make in makers:
        trace = traced(make, (1, c_in, side, side), spec=name, backward=train)
        t = total(trace)
        found.append(Head(name, source, t.params, t.macs, trace))
    return Heads((c_in, side, side), classes, tuple(found), pointwise_difference())
