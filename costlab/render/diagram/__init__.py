"""Block diagrams as SVG, PDF, PNG and DOT: laid out by their structure, measured in the font that
the PDF embeds."""

from .dot import dot
from .geometry import A4, Room
from .sheets import picture, sheets, svg

__all__ = ["A4", "Room", "dot", "picture", "sheets", "svg"]
