"""Tables: a Trace in, a typed Table out. No printing."""

from .build import table
from .columns import COLUMNS, further_columns
from .conventions import choose_convention, default_convention
from .groups import span
from .names import display_name, display_names, others, version_name
from .notes import (
    arithmetic_notes,
    caveats,
    frozen_note,
    input_words,
    measured_note,
    predicted_note,
)
from .predicted import predicted_cells, predicted_columns, saving_cells, saving_columns
from .result import Row, Table
from .selection import column_names
from .shape import ALL, Shape
from .sheet import MOST_ROWS, Caption, Column, Note, Sheet
from .styles import STYLES, choose_style, modules_to, opened

__all__ = [
    "ALL",
    "COLUMNS",
    "MOST_ROWS",
    "STYLES",
    "Caption",
    "Column",
    "Note",
    "Row",
    "Shape",
    "Sheet",
    "Table",
    "arithmetic_notes",
    "caveats",
    "choose_convention",
    "choose_style",
    "column_names",
    "default_convention",
    "display_name",
    "display_names",
    "frozen_note",
    "further_columns",
    "input_words",
    "measured_note",
    "modules_to",
    "opened",
    "others",
    "predicted_cells",
    "predicted_columns",
    "predicted_note",
    "saving_cells",
    "saving_columns",
    "span",
    "table",
    "version_name",
]
