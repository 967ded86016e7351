"""The styles of a table. A style is a file here and an entry in `STYLES`."""

from .choice import STYLES, Depth, Style, choose_style
from .layers import modules_to, opened

__all__ = ["STYLES", "Depth", "Style", "choose_style", "modules_to", "opened"]
