"""What is inside the rows of a table: the layers that a page shows when a row is expanded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import layer_graph
from ..tables import Row, Table, modules_to, table
from ..trace import Trace

Cells = Mapping[str, Any]
_DEEPEST = 99  # names in a module path


def layers_inside(trace: Trace, shown: Table) -> dict[str, tuple[Cells, ...]]:
    """The id of each row with several layers -> the cells of these layers, alike ones as one where
    no row between them is cut. Params are counted once, in the layer that uses them first."""
    everything = modules_to(trace, layer_graph(trace), _DEEPEST)
    merged, single = (
        table(trace, "layers", shown.convention, everything, merge=merge).rows
        for merge in (True, False)
    )
    name = shown.columns[0].key
    found: dict[str, tuple[Cells, ...]] = {}
    for row in shown.rows:
        inside = _parts(row, merged) or _parts(row, single)
        if len(inside) > 1:
            found[row.id] = tuple({**part.cells, name: _brief(part, row)} for part in inside)
    return found


def _parts(row: Row, layers: Sequence[Row]) -> list[Row]:
    """The layers of a row in order; none where they are not just the operations of the row."""
    ops = set(row.ops)
    inside = [layer for layer in layers if layer.ops and ops.issuperset(layer.ops)]
    return inside if sum(len(layer.ops) for layer in inside) == len(ops) else []


def _brief(part: Row, row: Row) -> str:
    """The layer's name without the module path of its row, and what it is."""
    name = part.name.removeprefix(f"{row.path}.") if row.path else part.name
    return f"{name}: {part.cells['type']}"
