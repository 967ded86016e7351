"""Block diagrams of any traced model: a network as blocks, or a module as the papers draw it."""

from .build import LIMIT, diagram, with_open_block
from .change import compared, marked, modules, on_one_scale, rewritten
from .closing import with_closed
from .result import STYLES, Box, Diagram, Edge, Part

__all__ = [
    "LIMIT",
    "STYLES",
    "Box",
    "Diagram",
    "Edge",
    "Part",
    "compared",
    "diagram",
    "marked",
    "modules",
    "on_one_scale",
    "rewritten",
    "with_closed",
    "with_open_block",
]
