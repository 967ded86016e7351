"""The layer graph of a trace, its forks and its residual blocks: what tables, analyses and diagrams share."""

from ._blocks import Branch, Fork, Residual, consumers, forks, residuals
from ._layers import WEIGHTED, Node, layer_graph, longest

__all__ = [
    "WEIGHTED",
    "Branch",
    "Fork",
    "Node",
    "Residual",
    "consumers",
    "forks",
    "layer_graph",
    "longest",
    "residuals",
]
