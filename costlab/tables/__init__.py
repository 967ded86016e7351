"""Tables: a Trace in, a typed Table out. No printing."""

from ._columns import COLUMNS
from ._conventions import default_convention
from ._layers import opened
from ._parts import span
from ._sheet import Column, Sheet
from ._table import STYLES, Row, Table, choose_style, measured_note, table

__all__ = [
    "COLUMNS",
    "STYLES",
    "Column",
    "Row",
    "Sheet",
    "Table",
    "choose_style",
    "default_convention",
    "measured_note",
    "opened",
    "span",
    "table",
]
