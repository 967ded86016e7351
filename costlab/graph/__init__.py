"""The layer graph of a trace, its forks and its residual blocks: what tables, analyses and diagrams
share."""

from .blocks import Branch, Fork, Residual, consumers, forks, residuals
from .layers import WEIGHTED, Node, layer_graph, longest
from .layout import Layout, layouts
from .receptive_field import Field, fields

__all__ = [
    "WEIGHTED",
    "Branch",
    "Field",
    "Fork",
    "Layout",
    "Node",
    "Residual",
    "consumers",
    "fields",
    "forks",
    "layer_graph",
    "layouts",
    "longest",
    "residuals",
]
