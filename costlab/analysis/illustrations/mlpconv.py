"""A linear convolution beside an mlpconv layer (*Network in Network*, Figure 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ..._result import Charted
from ...cost import total
from ...graph import layer_graph
from ...tables import Column, Sheet
from ...trace import Trace
from ...trace.build import traced
from ...zoo.modules import Conv, MlpConv
from . import notes


@dataclass(frozen=True)
class Neurons(Charted):
    """What slides over the same input: a linear convolution, and one that an MLP follows.

    `widths` are the outputs of the MLP's layers, the first those of the convolution; `input` is
    (c, H, W) and `output` (H, W) of both."""

    kernel: int
    stride: int
    widths: tuple[int, ...]
    input: tuple[int, ...]
    output: tuple[int, ...]
    linear: Trace
    mlp: Trace

    chart_kind = "mlpconv"

    @property
    def sheet(self) -> Sheet:
        """A row a layer."""
        first, second = total(self.linear), total(self.mlp)
        rows = tuple(
            {
                "layer": word,
                "layers with weights": layers,
                "params": count.params,
                "MACs": count.macs,
                "to the linear one": count.macs / first.macs,
            }
            for word, layers, count in (
                ("linear convolution", 1, first),
                ("mlpconv", len(self.widths), second),
            )
        )
        columns = (
            Column("layer"),
            Column("layers with weights"),
            Column("params", "params"),
            Column("MACs", "MACs"),
            Column("to the linear one", "x", format=".3f"),
        )
        title = (
            f"{self.kernel}x{self.kernel}/{self.stride} on "
            f"{'x'.join(map(str, (*self.input[1:], self.input[0])))}"
        )
        return Sheet(title, columns, rows, notes.MLPCONV)


def mlpconv(
    widths: Sequence[int] = (96, 96, 96),
    *,
    c_in: int = 3,
    side: int = 224,
    kernel: int = 11,
    stride: int = 4,
) -> Neurons:
    """Trace both. The defaults are the first mlpconv layer of NIN for ImageNet.

    Raises ValueError for sizes below 1, fewer than two widths, and a kernel that the input is too
    small for."""
    widths = tuple(widths)
    if len(widths) < 2:
        raise ValueError("an mlpconv layer has at least two widths, as 96,96,96")
    if min(*widths, c_in, side, kernel, stride) < 1:
        raise ValueError("widths, channels, sides, kernels and strides must be at least 1")
    if kernel > side:
        raise ValueError(f"a kernel of {kernel} needs an input of at least {kernel}, not {side}")
    shape = (1, c_in, side, side)
    linear = traced(partial(Conv, c_in, widths[0], kernel, stride, 0), shape, spec="convolution")
    mlp = traced(partial(MlpConv, c_in, widths, kernel, stride, 0), shape, spec="mlpconv")
    out = layer_graph(mlp)[-1].out_shape
    return Neurons(kernel, stride, widths, shape[1:], tuple(out[2:]), linear, mlp)
