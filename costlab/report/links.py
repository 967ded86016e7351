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
    of_node = [{place[id(op)] for op in node.ops} for node in layer_graph(trace)]
    found: dict[str, tuple[str, ...]] = {}
    for box in boxes:
        ops = {i for n in box.nodes for i in of_node[n]}
        ids = tuple(row.id for row in rows if not ops.isdisjoint(row.ops))
        if ids:
            found[box.id] = ids
    return found


def bar_links(steps: Sequence[Step]) -> Links:
    """The row of each bar; one that stands for the cheapest rows together has none."""
    return {step.id: (step.id,) for step in steps if step.id}
