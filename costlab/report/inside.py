"""What is inside the rows of a table: the layers that a page shows when a row is expanded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import layer_graph
from ..tables import MOST_ROWS, Row, Table, modules_to, table
from ..trace import Trace
from .links import places_by_op

Cells = Mapping[str, Any]
_DEEPEST = 99  # names in a module path


def layers_inside(trace: Trace, shown: Table) -> dict[str, tuple[Cells, ...]]:
    """The id of each row with several layers -> the cells of these layers, alike ones as one where
    no row between them is cut. Params are counted once, in the layer that uses them first.

    Of the first rows only: as many as have `MOST_ROWS` layers inside together."""
    everything = modules_to(trace, layer_graph(trace), _DEEPEST)
    merged, single = (
        _Layers(table(trace, "layers", shown.convention, everything, merge=merge).rows)
        for merge in (True, False)
    )
    name = shown.columns[0].key
    found: dict[str, tuple[Cells, ...]] = {}
    left = MOST_ROWS
    for row in shown.rows:
        inside = merged.of(row) or single.of(row)
        if len(inside) > left:
            break
        if len(inside) > 1:
            left -= len(inside)
            found[row.id] = tuple({**part.cells, name: _brief(part, row)} for part in inside)
    return found


class _Layers:
    """The layers of a network, which are found by their operations."""

    def __init__(self, layers: Sequence[Row]):
        self._layers, self._places = layers, places_by_op(layers)

    def of(self, row: Row) -> list[Row]:
        """The layers of a row in order; none where they are not just the operations of the row."""
        ops = set(row.ops)
        near = sorted({i for op in ops for i in self._places.get(op, ())})
        inside = [layer for layer in map(self._layers.__getitem__, near) if ops >= set(layer.ops)]
        return inside if sum(len(layer.ops) for layer in inside) == len(ops) else []


def _brief(part: Row, row: Row) -> str:
    """The layer's name without the module path of its row, and what it is."""
    name = part.name.removeprefix(f"{row.path}.") if row.path else part.name
    return f"{name}: {part.cells['type']}"
