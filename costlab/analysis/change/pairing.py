"""The rows of base and head that are compared, and what a module is called in each."""

from __future__ import annotations

from collections.abc import Iterator

from ...graph import layer_graph
from ...tables import Table, choose_style, opened, table
from ...trace import Trace
from ..limits import Called, block_names, called_in_both
from .align import Block, align
from .figures import Sides
from .operations import operation


def tables_of(traces: Sides[Trace], style: str, depth: int | None) -> Sides[Table]:
    """Both tables in one style, with the same modules opened."""
    if style == "auto":
        style = choose_style(traces.base, layer_graph(traces.base))
    opening = depth
    if style == "layers" and depth is None:
        each = traces.map(lambda t: opened(t, layer_graph(t)))
        opening = each.base | each.head
    return traces.map(lambda t: table(t, style, "macs", opening, merge=False))


def blocks_of(trace: Trace, table: Table) -> list[Block]:
    """The rows of a table with what runs in each."""
    return [
        Block(r.id, r.path, tuple(operation(trace, trace.ops[i]) for i in r.ops))
        for r in table.rows
    ]


def called_in(traces: Sides[Trace], block: str) -> Called:
    """What a module of one version or of both is called in each. It is paired by what is one level
    inside it, as `align` pairs."""
    names = traces.map(block_names)
    if not block or (block in names.base) == (block in names.head):
        return Called(block, block)
    return called_in_both(block, names.base, names.head, _paths(traces, block.count(".") + 2))


def _paths(traces: Sides[Trace], depth: int) -> Iterator[tuple[str, str]]:
    """The paths in base and head of the blocks that are paired, of modules of at most a depth."""
    tables = tables_of(traces, "layers", depth)
    blocks = Sides(blocks_of(traces.base, tables.base), blocks_of(traces.head, tables.head))
    for base, head, _ in align(blocks.base, blocks.head):
        if base is not None and head is not None:
            yield blocks.base[base].path, blocks.head[head].path
