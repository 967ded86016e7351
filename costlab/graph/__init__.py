"""The layer graph of a trace, its layouts, receptive fields and blocks: what tables, analyses and
diagrams share."""

from . import fitting as fitting  # checks traces that are read
from .blocks import Block, partition
from .depth import longest
from .forks import Branch, Fork, forks
from .layers import layer_graph
from .layout import Layout, layouts
from .node import WEIGHTED, Node, consumers
from .receptive_field import Field, fields
from .source_lines import source_line

__all__ = [
    "WEIGHTED",
    "Block",
    "Branch",
    "Field",
    "Fork",
    "Layout",
    "Node",
    "consumers",
    "fields",
    "forks",
    "layer_graph",
    "layouts",
    "longest",
    "partition",
    "source_line",
]
