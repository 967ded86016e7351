"""What rules save in multiply-adds and in measured time, as part of a section."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.savings import Saving, Savings, front_first, further_sheet
from ..render import charts
from ..render.document import Grid, Points, Ref, Text
from .pieces import Block, chart, cited


def saved_time(found: Sequence[Savings], ident: str) -> list[Block]:
    """A chart, a table and the reasons for one set of conditions, and one table for the others; a
    line where nothing was measured."""
    if not found:
        return [
            Text(
                "Not measured: how much time these save is not known. "
                "Fewer operations do not always take less time."
            )
        ]
    front, *further = front_first(found)
    return [*_in_full(front, ident), *_in_short(further, f"{ident}-further")]


def _in_full(savings: Savings, ident: str) -> list[Block]:
    """Savings under one set of conditions: a summary, the chart, the table and the reasons."""
    where = savings.conditions
    picture = chart(
        charts.time_savings,
        (savings,),
        id=f"{ident}-chart",
        caption=f"Multiply-adds and time saved: {where}",
        alt="; ".join(map(_spoken, savings.rules)),
    )
    return [
        Text((_summary(savings), Ref(ident), Ref(f"{ident}-chart"), ".")),
        picture,
        Grid(savings.sheet, f"Multiply-adds and time saved: {where}", ident),
        *_reasons(savings),
    ]


def _summary(savings: Savings) -> str:
    return f"What this saves in time was measured on {savings.conditions}: {_slower([savings])}"


def _slower(found: Sequence[Savings]) -> str:
    fewer = [rule for savings in found for rule in savings.rules if rule.macs_saved > 0]
    slower = sum(rule.time_saved < 0 and not rule.may_be_drift for rule in fewer)
    if not slower:
        return f"in none of {len(fewer)} cases did fewer multiply-adds take longer"
    return f"in {slower} of {len(fewer)} cases fewer multiply-adds took longer"


def _reasons(savings: Savings) -> list[Block]:
    """One sentence a reason, with the rules that it holds for."""
    rules: dict[str, list[str]] = {}
    for rule in savings.rules:
        rules.setdefault(rule.cause, []).append(rule.name)
    items = tuple(Text(f"{', '.join(names)}: {why}.") for why, names in rules.items() if why)
    if not items:
        return []
    return [Text("Why the time after each change is what it is:"), Points(items)]


def _in_short(found: Sequence[Savings], ident: str) -> list[Block]:
    if not found:
        return []
    words = f"Under {len(found)} further sets of conditions, {_slower(found)}"
    return [
        cited(words, ident),
        Grid(further_sheet(found), "Time saved under further conditions", ident),
    ]


def _spoken(rule: Saving) -> str:
    return f"{rule.name}: MACs {rule.macs_saved:.1%}, time {rule.time_saved:.1%} saved"
