"""Tables: a Trace in, a typed Table out. No printing."""

from .build import table
from .columns import COLUMNS
from .conventions import choose_convention, default_convention
from .groups import span
from .names import display_name, display_names, version_name
from .notes import arithmetic_notes, caveats, frozen_note, measured_note, predicted_note
from .predicted import predicted_cells, predicted_columns, saving_cells, saving_columns
from .result import Row, Table
from .sheet import Column, Sheet
from .styles import STYLES, choose_style, modules_to, opened

__all__ = [
    "COLUMNS",
    "STYLES",
    "Column",
    "Row",
    "Sheet",
    "Table",
    "arithmetic_notes",
    "caveats",
    "choose_convention",
    "choose_style",
    "default_convention",
    "display_name",
    "display_names",
    "frozen_note",
    "measured_note",
    "modules_to",
    "opened",
    "predicted_cells",
    "predicted_columns",
    "predicted_note",
    "saving_cells",
    "saving_columns",
    "span",
    "table",
    "version_name",
]
