"""The blocks of a network that are compared with one another, all of one depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..cost import Convention
from ..graph import Block, layer_graph, partition
from ..tables import Row, Table, modules_to, table
from ..tables.groups import Group
from ..tables.rows import RowCounter
from ..trace import Trace

_NOTHING = 0.005  # of the whole: what reads 0% is not named
_OPENED = 0.6  # of the MACs (or params): where one block holds more, all are opened


def ranked(trace: Trace, convention: str | Convention | None = None) -> tuple[Row, ...]:
    """Blocks of one depth in order of execution; together they are the whole network.

    The rows of the model's table where its style makes them of one depth. The layers style opens
    expensive modules only: there the modules of one depth, alike ones as one, the first depth at
    which none holds most of the cost."""
    shown = table(trace, convention=convention)
    if shown.style != "layers":
        return shown.rows
    found = shown
    for found in _by_depth(trace, convention):
        if _largest(found) <= _OPENED:
            break
    return found.rows


def in_order(shown: Table, trace: Trace) -> tuple[Row, ...]:
    """Blocks that run one after the other, so that sums up to one of them are true: the rows of a
    table, or where its rows are of alike modules that take turns, the blocks of the partition, each
    of several alike ones by itself. Cells: name, activations, params and ops."""
    if not any(row.cells.get("times") for row in shown.rows):
        return shown.rows
    nodes = layer_graph(trace)
    groups = [
        Group(
            block.path,
            {"name": block.path or "(model)"},
            [nodes[i] for i in block.nodes],
            [trace.ops[i] for i in block.ops],
        )
        for block in _one_by_one(partition(trace))
    ]
    counter = RowCounter(trace, shown.convention, ("activations",))
    return tuple(counter.rows(groups, drop_input=True))


def _one_by_one(root: Block) -> Iterator[Block]:
    """The blocks of a network in order, alike ones one by one."""
    for block in root.children if root.kind == "chain" else (root,):
        yield from block.children if block.kind == "repeat" else (block,)


def most_expensive(rows: Sequence[Row], field: str, count: int = 3) -> list[Row]:
    """The rows with most of a field, "macs" or "params", the largest first."""
    found = sorted(rows, key=lambda row: -getattr(row, field))[:count]
    whole = sum(getattr(row, field) for row in rows)
    return [row for row in found if getattr(row, field) > _NOTHING * whole]


def _by_depth(trace: Trace, convention: str | Convention | None) -> Iterator[Table]:
    """Tables with all modules opened to a depth of 1, 2, ... until nothing is left to open."""
    before = None
    for depth in range(1, 99):
        modules = modules_to(trace, layer_graph(trace), depth)
        if modules == before:
            return
        yield table(trace, "layers", convention, modules)
        before = modules


def _largest(found: Table) -> float:
    """The largest share of a row in the MACs; in the params where there are none."""
    if found.macs:
        return max(row.macs for row in found.rows) / found.macs
    return max((row.params for row in found.rows), default=0) / (found.params or 1)
