"""What is said of limits that are not met."""

from __future__ import annotations

from collections.abc import Sequence

from ...cost.units import counted
from ..limits import QUANTITIES, Judgement, Limit, spell
from .blocks import Behind, BlockFigure

_BLOCKS_SHOWN = 8


def failure(model: str, judged: int, failed: Sequence[tuple[Judgement, Behind]]) -> str:
    """The limits that are not met, each with the blocks behind it."""
    verb = "is" if len(failed) == 1 else "are"
    head = f"{model}: {len(failed)} of {counted(judged, 'limit')} {verb} not met"
    return "\n\n".join(
        [head, *("\n  ".join([str(j), *listing(j.limit, behind)]) for j, behind in failed)]
    )


def listing(limit: Limit, behind: Behind) -> list[str]:
    """The blocks behind a limit, one a line in columns below a heading: those that changed, or the
    largest."""
    if not behind.blocks:
        return []
    changed = any(f.change for f in behind.blocks)
    shown = behind.blocks[:_BLOCKS_SHOWN]
    rows = [_changed(f, behind) if changed else _share_of(f, behind) for f in shown]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])])
        for name, *cells in rows
    ]
    more = len(behind.blocks) - len(shown)
    return [
        _heading(limit, behind.quantity, changed),
        *(f"  {line.rstrip()}" for line in lines),
        *([f"  and {counted(more, 'more block')}"] if more > 0 else []),
    ]


def _heading(limit: Limit, quantity: str, changed: bool) -> str:
    by = "" if quantity == limit.quantity else f", by {quantity}"
    if not changed:
        return f"largest blocks{by}:"
    return f"blocks that {'grew' if limit.relation in ('<', '<=') else 'shrank'}{by}:"


def _changed(f: BlockFigure, behind: Behind) -> tuple[str, ...]:
    """`stages.2  1.20M  ->  1.50M  +300.00K (+25.00%)`."""
    unit = QUANTITIES[behind.quantity].unit
    before = f.base or 0.0
    change = f"{'+' if f.change > 0 else '-'}{spell(abs(f.change), unit)}"
    share = f"({100 * f.change / abs(before):+.2f}%)" if before else "(new)"
    return f.block, spell(before, unit), "->", spell(f.head, unit), change, share


def _share_of(f: BlockFigure, behind: Behind) -> tuple[str, ...]:
    """`stages.2  1.50M  25.0%`; without a share where blocks do not add up to the model."""
    quantity = QUANTITIES[behind.quantity]
    whole = behind.whole if quantity.adds_up else None
    share = (f"{100 * f.head / whole:.1f}%",) if whole else ()
    return f.block, spell(f.head, quantity.unit), *share
