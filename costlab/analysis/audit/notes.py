"""What an audit says in English, from the facts of its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .causes import (
    FewDigits,
    FilterSum,
    InputGrid,
    MissingRow,
    NoConvention,
    OneLayer,
    OtherConvention,
    OtherGrid,
    OtherReading,
    OtherWidth,
    Rounded,
    TwoDigits,
)
from .cells import POWERS
from .conventions import KINDS, Rule

if TYPE_CHECKING:
    from .result import Audit, Cell, ColumnSum, OtherInput, Structure

_LETTERS = {power: letter for letter, power in POWERS.items() if letter != "B"}


def convention(rule: Rule) -> str:
    """A counting convention in words."""
    if rule.kind == "ops":
        unit = "1e6" if rule.base == 1000 else "2^20"
        ops = "one op" if rule.factor == 1 else "two ops"
        return f"M = {unit}, {ops} a multiply-add, {rule.rounding}"
    if rule.norm:
        counted = "weights + biases + norm scales"
    else:
        counted = "weights + biases" if rule.bias else "weights only"
    return f"{counted}, K = {rule.base}, {rule.rounding}"


def recomputed(cell: Cell) -> str:
    """The recomputed value in the printed unit, with one digit or two more than are printed."""
    if cell.number is None or not isinstance(cell.value, int):
        return str(cell.value)
    letter = _LETTERS[cell.number.power]
    if not letter or cell.column == "neurons":  # a total of neurons is read in full
        return f"{cell.value:,}"
    scaled = cell.value / cell.base**cell.number.power
    decimals = max(0, cell.number.decimals) + (1 if scaled >= 10 else 2)
    return f"{scaled:.{decimals}f}{letter}"


# cause -> its words, which take the cause's fields
_CAUSES: dict[type, Callable[[Any], str]] = {
    Rounded: lambda c: c.rounding,
    OtherReading: lambda c: f"{c.reading}: {c.value:,} under {convention(c.rule)}",
    OtherWidth: lambda c: f"consistent with {c.channels} input channels instead of {c.traced}",
    OtherConvention: lambda c: f"by another convention than most cells: {convention(c.rule)}",
    FewDigits: lambda c: f"{c.rounding} to the few digits that are printed",
    TwoDigits: lambda c: f"{c.rounding} to two digits",
    NoConvention: lambda c: "no convention fits",
    MissingRow: lambda c: "the trace has no such row here",
    InputGrid: lambda c: "the printed grid is the input's: the row strides",
    OtherGrid: lambda c: "another grid",
    OneLayer: lambda c: "counted as one layer",
    FilterSum: lambda c: f"the printed filters add up to {c.channels} channels",
}


def explanation(cell: Cell) -> str:
    """What explains a cell, and where the paper prints it."""
    cause = cell.finding.cause
    words = _CAUSES[type(cause)](cause) if cause else ""
    return "; ".join(part for part in (words, cell.where) if part)


def notes(audit: Audit) -> tuple[str, ...]:
    """The notes of an audit: its input, then each kind of count, then the structure."""
    found = [_other_input(audit.other_input)] if audit.other_input else []
    sums = {s.kind: s for s in audit.sums}
    for kind in KINDS:
        best = audit.best(kind)
        if best:
            fits = f"{convention(best.rule)} fits most cells, {best.fits} of {best.of}"
            found += [f"{kind}: {fits}", f"{kind}: {_unexplained(audit, kind)}"]
        if kind in sums:
            found.append(f"{kind}: {_sums(sums[kind])}")
    if audit.structure:
        found.append(f"structure: {_structure(audit.structure)}")
    return tuple(found)


def _unexplained(audit: Audit, kind: str) -> str:
    rows = [c.row for c in audit.cells if c.column == kind and c.verdict == "not explained"]
    return f"no convention fits {', '.join(rows)}" if rows else "every cell is accounted for"


def _sums(sums: ColumnSum) -> str:
    counted = ", ".join(
        f"{s.value:,}" + (f" with {s.reading}" if s.reading else "") for s in sums.counted
    )
    return f"the printed column adds up to {sums.printed:,.0f}, the trace's rows to {counted}"


def _structure(structure: Structure) -> str:
    return (
        f"{structure.equal} of {structure.of} printed cells (sizes, depth, filters) equal the "
        "trace; the others are listed"
    )


def _other_input(inputs: OtherInput) -> str:
    return (
        f"ops and sizes are printed for an input of {inputs.printed} and not compared with those "
        f"of {inputs.traced}"
    )
