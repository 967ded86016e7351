"""Block diagrams of any traced model: a network as blocks, or a module as the papers draw it."""

from .build import LIMIT, diagram
from .result import STYLES, Box, Diagram, Edge, Part

__all__ = ["LIMIT", "STYLES", "Box", "Diagram", "Edge", "Part", "diagram"]
