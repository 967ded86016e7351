"""Drawings and tables that several topics need."""

from __future__ import annotations

from ....analysis.diagram import diagram
from ....reference.printed import PrintedTable
from ....render.document import Grid, Picture
from ....tables import Column, Sheet
from ....trace import Trace
from ...pieces import drawn


def opened(trace: Trace, module: str, ident: str, caption: str) -> Picture:
    """A module as the papers draw one, input at the bottom; "" for the whole network."""
    return drawn(diagram(trace, module=module, style="paper"), id=ident, caption=caption)


def printed(table: PrintedTable, ident: str) -> Grid:
    """A paper's table, cell by cell as it is printed."""
    columns = tuple(map(Column, table.rows[0]))
    sheet = Sheet(
        f"{table.model} as printed",
        columns,
        tuple(map(dict, table.rows)),
        (f"{table.paper}, {table.where}; nothing here is computed",),
    )
    return Grid(sheet, f"{table.where} of the paper, as printed", ident)
