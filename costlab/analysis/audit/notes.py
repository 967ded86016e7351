"""What an audit says in English, from the facts of its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...tables import Note
from .causes import (
    FilterSum,
    InputGrid,
    LayerCount,
    MissingRow,
    NoConvention,
    OtherConvention,
    OtherReading,
    OtherWidth,
    Rounded,
)
from .causes import Verdict
from .cells import POWERS
from .chance import LIMIT
from .conventions import KINDS, Rule

if TYPE_CHECKING:
    from .every import Reproduction, Reproductions
    from .result import Audit, Cell, ColumnSum, OtherInput, Structure

_LETTERS = {power: letter for letter, power in POWERS.items() if letter != "B"}


def convention(rule: Rule) -> str:
    """A counting convention in words."""
    if rule.kind == "ops":
        unit = "1e6" if rule.base == 1000 else "2^20"
        ops = "one op" if rule.factor == 1 else "two ops"
        biases = ", one a bias addition" if rule.bias else ""
        return f"M = {unit}, {ops} a multiply-add{biases}, {rule.rounding}"
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


# cause -> what it is in a few letters, and its words; both take the cause's fields
_CAUSES: dict[type, tuple[Callable[[Any], str], Callable[[Any], str]]] = {
    Rounded: (
        lambda c: f"{c.digits} digits" if c.digits else c.rounding,
        lambda c: f"{c.rounding}{_to_digits(c.digits)}",
    ),
    OtherReading: (
        lambda c: "reading",
        lambda c: f"{c.reading}: {c.value:,} under {convention(c.rule)}{_to_digits(c.digits)}",
    ),
    OtherWidth: (
        lambda c: f"width {c.channels}",
        lambda c: f"consistent with {c.channels} input channels instead of {c.traced}",
    ),
    OtherConvention: (
        lambda c: "convention",
        lambda c: (
            f"another convention, {convention(c.rule)}, fits {c.cells} of the {c.of} cells that "
            "the table's convention does not fit"
        ),
    ),
    NoConvention: (
        lambda c: _off(c.off, "low", "high"),
        lambda c: (
            f"no convention fits; the nearest, {convention(c.rule)}, is "
            f"{_off(c.off, 'more', 'less')}"
        ),
    ),
    MissingRow: (lambda c: "no row", lambda c: "the trace has no such row here"),
    InputGrid: (
        lambda c: "input grid",
        lambda c: "the printed grid is that of the row's input",
    ),
    LayerCount: (
        lambda c: f"{c.layers} layers",
        lambda c: f"the row is {c.layers} layers deep",
    ),
    FilterSum: (
        lambda c: f"sum {c.channels}",
        lambda c: f"the printed filters add up to {c.channels} channels",
    ),
}
_SAID = (OtherReading, OtherWidth, OtherConvention, InputGrid, LayerCount, FilterSum)  # in notes


def _to_digits(digits: int | None) -> str:
    """To how many digits a number is rounded, where it is printed with more."""
    return f" to {digits} digit{'s' if digits > 1 else ''}" if digits else ""


def _off(ratio: float, below: str, above: str) -> str:
    """How far a printed number is from the recomputed one, as a share of that."""
    return "none" if ratio == float("inf") else f"{abs(ratio):.1%} {above if ratio > 0 else below}"


def why(cell: Cell) -> str:
    """What explains a cell in a few letters, which the notes spell out."""
    cause = cell.finding.cause
    return _CAUSES[type(cause)][0](cause) if cause else ""


def explanation(cell: Cell) -> str:
    """What explains a cell, and where the paper prints it."""
    return "; ".join(part for part in (_words(cell), cell.where) if part)


def _words(cell: Cell) -> str:
    cause = cell.finding.cause
    return _CAUSES[type(cause)][1](cause) if cause else ""


def notes(audit: Audit) -> tuple[str, ...]:
    """The notes of an audit: its input, then each kind of count, then the structure."""
    found = [_other_input(audit.other_input)] if audit.other_input else []
    if audit.reading:
        found.append(f"the table is read with {audit.reading}, which fits more of its cells")
    sums = {s.kind: s for s in audit.sums}
    for kind in KINDS:
        if audit.best(kind):
            found += [f"{kind}: {_convention(audit, kind)}", f"{kind}: {_accounted(audit, kind)}"]
        if kind in sums:
            found.append(f"{kind}: {_sums(sums[kind])}")
    if audit.structure:
        found.append(f"structure: {_structure(audit.structure)}")
    found += _causes(audit.cells)
    found += [f"{c.column} {c.printed}: {c.where}" for c in audit.cells if c.where]
    if audit.ignored:
        found.append(_ignored(audit.ignored))
    if any(cell.finding.chance is not None for cell in audit.cells):
        found.append(_CHANCE)
    return tuple(found)


def _ignored(columns: Sequence[str]) -> str:
    """Columns that nothing is compared with."""
    return (
        f"not compared: {', '.join(columns)}; the audit knows the table's columns, and counts "
        "called params and ops (or MACs, mult-adds, FLOPs)"
    )


def _causes(cells: Iterable[Cell]) -> list[str]:
    """The causes that need more words than a cell holds, each with its cells."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        if isinstance(cell.finding.cause, _SAID):
            found.setdefault(_words(cell), []).append(f"{cell.row} {cell.column}")
    return [f"{', '.join(names)}: {words}" for words, names in found.items()]


_CHANCE = Note(
    "chance: how often a wrong number, off by up to a factor of two, would also have fitted what "
    f"was tried; above {LIMIT:.0%} a cell that fits is only weak evidence",
    "chance",
)


def _convention(audit: Audit, kind: str) -> str:
    """The convention of a kind of cell, and how many cells it fits."""
    best, *others = [fit for fit in audit.fits if fit.rule.kind == kind]
    if not best.fits:
        return f"no convention fits any of the {best.of} cells"
    most = "most cells, " if 2 * best.fits > best.of else ""
    alike = [o for o in others if o.fits == best.fits and not o.rule.counts_like(best.rule)]
    also = f"; so does {convention(alike[0].rule)}" if alike else ""
    return f"{convention(best.rule)} fits {most}{best.fits} of {best.of}{also}"


def _accounted(audit: Audit, kind: str) -> str:
    """How many cells of a kind are accounted for, and which are not."""
    cells = [c for c in audit.cells if c.column == kind and not c.where]
    parts = [f"{sum(c.accounted for c in cells)} of {len(cells)} cells are accounted for"]
    for verdict, words in ((Verdict.WEAK, "weak evidence"), (Verdict.UNEXPLAINED, "not explained")):
        rows = [c.row for c in cells if c.finding.verdict is verdict]
        parts += [f"{words}: {', '.join(rows)}"] if rows else []
    return "; ".join(parts)


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


def left_over(row: Reproduction) -> str:
    """What is not accounted for, shortly: names of totals, or how many cells of a table."""
    if any(cell.row != "total" for cell in row.left):
        return f"{len(row.left)} cell{'s' if len(row.left) > 1 else ''}"
    return ", ".join(cell.column for cell in row.left)


def reproductions(found: Reproductions) -> tuple[str, ...]:
    """How many sources have each verdict, and what the verdicts mean."""
    counts = Counter(row.outcome for row in found.rows)
    listed = ", ".join(f"{n} {outcome}" for outcome, n in counts.most_common())
    return (
        f"{len(found.rows)} sources: {listed}",
        "weak evidence: few digits are printed, so a wrong number could fit as well",
        "costlab audit MODEL shows each cell and its explanation",
    )
