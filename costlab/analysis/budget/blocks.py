"""Which blocks of a model a figure is in, and in which it changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...tables import table
from ...trace import Trace
from ..change import Change, change
from ..limits import Judgement, Limit, is_inside, measure_ops


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


@dataclass(frozen=True)
class Behind:
    """The blocks behind a limit's figure.

    Attributes:
        quantity: of the blocks; that of the limit, or one that stands for it.
        blocks: those that matter most for the limit first.
        whole: the quantity of all of them; None where they are not shown as shares of it.
    """

    quantity: str
    blocks: tuple[BlockFigure, ...]
    whole: float | None = None


def most_first(limit: Limit, figures: Iterable[BlockFigure]) -> tuple[BlockFigure, ...]:
    """Sorted by how far they changed in the direction that the limit forbids, without those that
    did not; where there is none of them, or no base, all by size, and without a base."""
    figures = list(figures)
    upwards = 1 if limit.relation in ("<", "<=") else -1
    changed = [f for f in figures if upwards * f.change > 0]
    if changed:
        return tuple(sorted(changed, key=lambda f: -abs(f.change)))
    sizes = [BlockFigure(f.block, f.head) for f in figures if f.head]
    return tuple(sorted(sizes, key=lambda f: -f.head))


def blocks_behind(judgement: Judgement, head: Trace, base: Trace | None = None) -> Behind:
    """The blocks that a limit's figure comes from, those first that matter most for it."""
    figures = most_first(judgement.limit, _figures(judgement, head, base))
    return Behind(judgement.limit.quantity, figures, judgement.head)


def _figures(j: Judgement, head: Trace, base: Trace | None) -> list[BlockFigure]:
    """Of all blocks: the rows of the layers style, or what is inside the limit's block where that
    is one row or less; none where that is one as well, which says no more than the limit."""
    found = _rows(j, head, base, None)
    if len(found) < 2 and j.limit.block:
        found = _rows(j, head, base, j.called.head.count(".") + 2)
    return found if len(found) > 1 else []


def _rows(j: Judgement, head: Trace, base: Trace | None, depth: int | None) -> list[BlockFigure]:
    """The rows of the layers style in the limit's block, against those of a base where that has the
    quantity. The model itself is no block."""
    compared = None if base is None else change(base, head, "layers", depth)
    if compared and j.limit.quantity in compared.figures:
        return list(_compared_rows(j, compared))
    return [
        BlockFigure(row.path, measure_ops(head, j.limit.quantity, row.ops) or 0.0)
        for row in table(head, "layers", "macs", depth, merge=False).rows
        if row.path and is_inside(row.path, j.called.head)
    ]


def _compared_rows(j: Judgement, compared: Change) -> Iterator[BlockFigure]:
    for step in compared.steps:
        path = step.paths.head or step.paths.base
        around = j.called.head if step.paths.head else j.called.base
        if path and is_inside(path, around):
            base, head = step.figures[j.limit.quantity]
            yield BlockFigure(path, head or 0.0, base or 0.0)
