"""Networks side by side to scale: depth, params and multiply-adds, layer by layer (the note's
"Deeper" figure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..._result import Charted
from ...cost import total
from ...graph import WEIGHTED, Node, layer_graph, longest
from ...tables import Column, Sheet
from ...trace import Trace
from . import notes

MOST_LEVELS = 120  # that can still be told apart on a page


@dataclass(frozen=True)
class Level:
    """Layers at one depth, in parallel. `kinds`: of each, as "conv"; `grid`: the side of the
    output's grid (1 without one); `params` elements, `macs` multiply-adds."""

    kinds: tuple[str, ...]
    grid: int
    params: int
    macs: int


@dataclass(frozen=True)
class Tower:
    """A network from its `input`, (height, width), to its output. `depth`: layers with weights on
    the longest path; `params` and `macs` of the whole network."""

    name: str
    input: tuple[int, ...]
    levels: tuple[Level, ...]
    depth: int
    params: int
    macs: int


@dataclass(frozen=True)
class Towers(Charted):
    """Networks to be drawn to one scale."""

    towers: tuple[Tower, ...]

    chart_kind = "towers"

    @property
    def sheet(self) -> Sheet:
        """A row a level of a network."""
        rows = tuple(
            {
                "network": tower.name,
                "level": i,
                "layers": " | ".join(level.kinds),
                "grid": level.grid,
                "params": level.params,
                "MACs": level.macs,
            }
            for tower in self.towers
            for i, level in enumerate(tower.levels, 1)
        )
        columns = (
            Column("network"),
            Column("level"),
            Column("layers"),
            Column("grid"),
            Column("params", "params"),
            Column("MACs", "MACs"),
        )
        return Sheet("networks to scale", columns, rows, tuple(map(notes.tower, self.towers)))


def towers(traces: Sequence[Trace]) -> Towers:
    """The levels of each network: a convolution, linear layer or pool stands above the longest path
    from the input to it. A level's params include those of the norms that follow its layers.

    Raises ValueError for no network, and for one with more levels than can be drawn."""
    if not traces:
        raise ValueError("name at least one network")
    return Towers(tuple(map(_tower, traces)))


def _tower(trace: Trace) -> Tower:
    nodes = layer_graph(trace)
    name, whole = trace.provenance["model"], total(trace)
    levels = _levels(trace, nodes)
    if len(levels) > MOST_LEVELS:
        raise ValueError(f"{name} has {len(levels)} levels; at most {MOST_LEVELS} can be drawn")
    size = trace.tensors[trace.inputs[0]].shape[-2:]
    return Tower(name, size, levels, longest(nodes), whole.params, whole.macs)


def _levels(trace: Trace, nodes: Sequence[Node]) -> tuple[Level, ...]:
    place: dict[int, int] = {}
    groups: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        own = _is_drawn(node)
        place[node.index] = max((place[p] for p in node.preds), default=0) + own
        if own:
            groups[place[node.index]].append(node)
    return tuple(_level(trace, groups[i]) for i in sorted(groups))


def _is_drawn(node: Node) -> bool:
    return node.kind in WEIGHTED or node.kind.endswith("pool")


def _level(trace: Trace, nodes: Sequence[Node]) -> Level:
    count = total(trace, [op for node in nodes for op in node.ops])
    shape = nodes[0].out_shape
    grid = shape[-1] if len(shape) == 4 else 1
    return Level(tuple(node.kind for node in nodes), grid, count.params, count.macs)
