"""Which rows of the network's table the boxes of a diagram and the bars of a chart stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..analysis.diagram import Box
from ..analysis.profile import Step
from ..graph import layer_graph
from ..tables import Row
from ..trace import Trace

Links = Mapping[str, tuple[str, ...]]  # id of a box or bar -> ids of rows


def box_links(trace: Trace, rows: Sequence[Row], boxes: Sequence[Box]) -> Links:
    """The rows that share operations with each box. A box may hold several rows, and a row several
    boxes; one that holds no operation, such as the input's, has no row."""
    place = {id(op): i for i, op in enumerate(trace.ops)}
    nodes = layer_graph(trace)
    rows_of = places_by_op(rows)
    found: dict[str, tuple[str, ...]] = {}
    for box in boxes:
        ops = (place[id(op)] for n in box.nodes for op in nodes[n].ops)
        if places := sorted({i for op in ops for i in rows_of.get(op, ())}):
            found[box.id] = tuple(rows[i].id for i in places)
    return found


def places_by_op(rows: Sequence[Row]) -> dict[int, list[int]]:
    """The index of an operation in its trace -> the places of the rows that have it."""
    found: dict[int, list[int]] = {}
    for i, row in enumerate(rows):
        for op in row.ops:
            found.setdefault(op, []).append(i)
    return found


def bar_links(steps: Sequence[Step]) -> Links:
    """The row of each bar; one that stands for the cheapest rows together has none."""
    return {step.id: (step.id,) for step in steps if step.id}
