"""What is said of limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...cost.units import counted, scaled
from .quantities import QUANTITIES, Unit

if TYPE_CHECKING:
    from .blocks import BlockFigure
    from .expression import Limit
    from .judge import Judgement


def no_base(limit: Limit) -> str:
    """A relative limit without a base."""
    return f"{limit.text!r} is a change from a base, and there is none; write an absolute limit"


def no_block(limit: Limit, whose: str, near: Sequence[str]) -> str:
    """A block that the model does not have."""
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{limit.text!r}: the model{whose} has no module {limit.block!r} that runs{hint}"


def no_value(limit: Limit, whose: str) -> str:
    """A quantity that the trace does not have."""
    if limit.quantity == "time":
        why = "was not measured; measure it with `costlab trace MODEL --measure`"
        return f"{limit.text!r}: the model{whose} {why}"
    return f"{limit.text!r}: the {limit.quantity} of the model{whose} is not known"


def judgement(j: Judgement) -> str:
    """`macs 1.58G -> 1.63G (+3.2%), limit: macs > +1%`."""
    unit = QUANTITIES[j.limit.quantity].unit
    where = f"{j.limit.block}: " if j.limit.block else ""
    if j.base is None:
        figures = spell(j.head, unit)
    else:
        figures = f"{spell(j.base, unit)} -> {spell(j.head, unit)}{_share(j.base, j.head)}"
    return f"{where}{j.limit.quantity} {figures}, limit: {j.limit.text}"


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
    share = _share(before, f.head).strip() or "(new)"
    return f.block, spell(before, unit), "->", spell(f.head, unit), change, share


def _share_of(f: BlockFigure, j: Judgement) -> tuple[str, ...]:
    """`stages.2  1.50M  25.0%`; without a share where blocks do not add up to the model."""
    quantity = QUANTITIES[j.limit.quantity]
    share = (f"{100 * f.head / j.head:.1f}%",) if quantity.adds_up and j.head else ()
    return f.block, spell(f.head, quantity.unit), *share


def spell(value: float, unit: Unit) -> str:
    """A value in the unit that suits it: 1.58G, 12.40MB, 3.21 ms."""
    if unit == "seconds":
        return f"{1e3 * value:.3f} ms"
    if unit == "bytes":
        text = scaled(round(value))
        return f"{text}B" if text[-1].isalpha() else f"{text} B"
    return scaled(round(value))


def _share(base: float, head: float) -> str:
    """The change in brackets, in percent; nothing where there is none to divide by."""
    return f" ({100 * (head - base) / abs(base):+.2f}%)" if base else ""
