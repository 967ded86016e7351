"""What is said of limits that are not met."""

from __future__ import annotations

from collections.abc import Sequence

from ...cost.units import counted
from ..limits import QUANTITIES, Judgement, spell
from .blocks import BlockFigure

_BLOCKS_SHOWN = 8


def failure(model: str, judged: int, failed: Sequence[tuple[Judgement, list[BlockFigure]]]) -> str:
    """The limits that are not met, each with the blocks behind it."""
    verb = "is" if len(failed) == 1 else "are"
    head = f"{model}: {len(failed)} of {counted(judged, 'limit')} {verb} not met"
    return "\n\n".join([head, *("\n".join([str(j), *_listing(j, f)]) for j, f in failed)])


def _listing(j: Judgement, figures: Sequence[BlockFigure]) -> list[str]:
    """The blocks behind a judgement, one a line in columns: those that changed, or the largest."""
    if not figures:
        return []
    changed = any(f.change for f in figures)
    shown = figures[:_BLOCKS_SHOWN]
    rows = [_changed(f, j) if changed else _share_of(f, j) for f in shown]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])])
        for name, *cells in rows
    ]
    more = len(figures) - len(shown)
    return [
        f"  {_heading(j, changed)}",
        *(f"    {line.rstrip()}" for line in lines),
        *([f"    and {counted(more, 'more block')}"] if more > 0 else []),
    ]


def _heading(j: Judgement, changed: bool) -> str:
    if not changed:
        return "largest blocks:"
    return "blocks that grew:" if j.limit.relation in ("<", "<=") else "blocks that shrank:"


def _changed(f: BlockFigure, j: Judgement) -> tuple[str, ...]:
    """`stages.2  1.20M  ->  1.50M  +300.00K (+25.00%)`."""
    unit = QUANTITIES[j.limit.quantity].unit
    before = f.base or 0.0
    change = f"{'+' if f.change > 0 else '-'}{spell(abs(f.change), unit)}"
    share = f"({100 * f.change / abs(before):+.2f}%)" if before else "(new)"
    return f.block, spell(before, unit), "->", spell(f.head, unit), change, share


def _share_of(f: BlockFigure, j: Judgement) -> tuple[str, ...]:
    """`stages.2  1.50M  25.0%`; without a share where blocks do not add up to the model."""
    quantity = QUANTITIES[j.limit.quantity]
    share = (f"{100 * f.head / j.head:.1f}%",) if quantity.adds_up and j.head else ()
    return f.block, spell(f.head, quantity.unit), *share
