"""Network in Network: an MLP that slides, and pooling in place of fully connected layers."""

from __future__ import annotations

from ....analysis.diagram import diagram
from ....analysis.head import heads
from ....analysis.illustrations import mlpconv
from ....render import charts
from ....render.document import Grid
from ...context import Context
from ...pieces import Block, chart, drawn


def network_in_network(c: Context) -> list[Block]:
    """A linear convolution beside an mlpconv layer, the network, and what classifiers cost."""
    layers, classifiers = mlpconv(), heads()
    spoken = "; ".join(f"{h.name} {h.params:,} params, {h.macs:,} MACs" for h in classifiers.heads)
    return [
        chart(
            charts.mlpconv,
            layers,
            id="mlpconv",
            caption="A linear convolution and an mlpconv layer, the first of NIN",
            alt="Both slide a window over the input; the mlpconv has two layers of units above it",
        ),
        Grid(layers.sheet, "A linear convolution and an mlpconv layer", "mlpconv-table"),
        drawn(
            diagram(c.find("nin")),
            id="nin",
            caption="Network in Network: mlpconv layers, then global average pooling and no fully "
            "connected layer",
        ),
        chart(
            charts.head,
            classifiers,
            id="heads-chart",
            caption="Fully connected classifiers and global average pooling on one feature map",
            alt=f"Bars of params and MACs: {spoken}",
        ),
        Grid(classifiers.sheet, "Fully connected classifiers and global average pooling", "heads"),
    ]
