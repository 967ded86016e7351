"""Savings as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...tables import Column, Sheet
from .notes import change_in_time, notes, notes_of_further

if TYPE_CHECKING:
    from .record import Saving, Savings

_COLUMNS = (
    Column("rule"),
    Column("MACs saved", "%", format=".1%"),
    Column("time saved", "%", format=".1%"),
    Column("interval"),
    Column("before", "ms", format=",.4f"),
    Column("after", "ms", format=",.4f"),
    Column("ceiling before", "%", format=".0%"),
    Column("ceiling after", "%", format=".0%"),
    Column("verdict"),
)


def _row(savings: Savings, rule: Saving) -> dict[str, Any]:
    low, high = rule.interval
    return {
        "rule": rule.name,
        "MACs saved": rule.macs_saved,
        "time saved": rule.time_saved,
        "interval": f"{100 * low:.1f}% to {100 * high:.1f}%",
        "before": 1e3 * rule.before.time.median,
        "after": 1e3 * rule.after.time.median,
        "ceiling before": rule.before.reached,
        "ceiling after": rule.after.reached,
        "verdict": change_in_time(rule),
    }


def sheet_of(savings: Savings) -> Sheet:
    """A row a rule."""
    rows = tuple(_row(savings, rule) for rule in savings.rules)
    return Sheet(f"measured: {savings.conditions}", _COLUMNS, rows, notes(savings))


def joined_sheet(found: Iterable[Savings]) -> Sheet:
    """The rules of all conditions in one sheet: a row a rule and set of conditions."""
    found = tuple(found)
    rows = tuple({"conditions": s.conditions, **row} for s in found for row in s.sheet.rows)
    said = tuple(dict.fromkeys(note for s in found for note in s.sheet.notes))
    return Sheet("MACs and time saved", (Column("conditions"), *_COLUMNS), rows, said)


def further_sheet(found: Sequence[Savings]) -> Sheet:
    """A row a rule and a column a set of conditions: the time saved. Before the first column of an
    input shape stands one of the MACs saved at that shape."""
    columns = [Column("rule")]
    shape_of = _shape_words([savings.run.inputs for savings in found])
    rows: dict[str, dict[str, Any]] = {}
    for savings in found:
        shape = shape_of[savings.run.inputs]
        macs = Column(f"MACs saved, {shape}", "%", format=".1%")
        time = Column(f"{savings.short_conditions}, {shape}", "%", format=".1%")
        columns += [time] if macs in columns else [macs, time]
        for rule in savings.rules:
            row = rows.setdefault(rule.name, {"rule": rule.name})
            row |= {macs.key: rule.macs_saved, time.key: rule.time_saved}
    title = "Time saved under further conditions"
    return Sheet(title, tuple(columns), tuple(rows.values()), notes_of_further(found))


def _shape_words(shapes: Sequence[str]) -> dict[str, str]:
    """What a header says of each input shape: its channels where these differ, else all of it."""
    channels = {shape: shape.split("x")[1:2] for shape in shapes}
    if len({*map(tuple, channels.values())}) < len(channels) or [] in channels.values():
        return {shape: shape for shape in shapes}
    return {shape: f"{found[0]} channels" for shape, found in channels.items()}
