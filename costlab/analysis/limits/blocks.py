"""Which blocks of a model a quantity is in, and in which it changed."""

from __future__ import annotations

from dataclasses import dataclass

from ...graph import layer_graph
from ...tables import opened, table
from ...trace import Trace
from .expression import Limit
from .quantities import block_names, measure_block


@dataclass(frozen=True)
class BlockFigure:
    """A quantity of one block, in its unit.

    Attributes:
        block: module path.
        head: 0 where the block is not in the head.
        base: 0 where the block is not in the base; None where there is no base.
    """

    block: str
    head: float
    base: float | None = None

    @property
    def change(self) -> float:
        """From base to head; 0 without a base."""
        return 0.0 if self.base is None else self.head - self.base


def blocks_behind(limit: Limit, head: Trace, base: Trace | None = None) -> list[BlockFigure]:
    """The blocks that a limit's figure comes from, those first that matter most for it.

    With a base they are sorted by how far they changed in the direction that the limit forbids, and
    those that did not are left out; where there is none of them, or no base, by size."""
    traces = [head] if base is None else [head, base]
    paths = _blocks(limit.block, traces)
    figures = [
        BlockFigure(path, *(_figure(trace, limit.quantity, path) for trace in traces))
        for path in paths
    ]
    upwards = 1 if limit.relation in ("<", "<=") else -1
    changed = [f for f in figures if upwards * f.change > 0]
    if changed:
        return sorted(changed, key=lambda f: -abs(f.change))
    return sorted((f for f in figures if f.head), key=lambda f: -f.head)


def _figure(trace: Trace, quantity: str, block: str) -> float:
    return measure_block(trace, quantity, block) or 0.0


def _blocks(inside: str, traces: list[Trace]) -> list[str]:
    """Module paths in order of execution, none inside another: the rows of the layers style, or
    what is inside the limit's block where that is one row."""
    opening = frozenset[tuple[str, ...]]().union(*(opened(t, layer_graph(t)) for t in traces))
    rows = [r.path for t in traces for r in table(t, "layers", "macs", opening, merge=False).rows]
    found = _innermost([path for path in rows if _is_in(path, inside)])
    if len(found) > 1:
        return found
    return _children([name for t in traces for name in block_names(t) if _is_in(name, inside)])


def _children(paths: list[str]) -> list[str]:
    """The first level at which there are several, or the last one."""
    found: list[str] = []
    for depth in sorted({path.count(".") for path in paths}):
        found = _innermost([path for path in paths if path.count(".") <= depth])
        if len(found) > 1:
            break
    return found


def _is_in(path: str, block: str) -> bool:
    return bool(path) and (not block or path == block or path.startswith(f"{block}."))


def _innermost(paths: list[str]) -> list[str]:
    """Each path once, without those that others are inside of."""
    around = {path[:i] for path in paths for i, letter in enumerate(path) if letter == "."}
    return [path for path in dict.fromkeys(paths) if path not in around]
