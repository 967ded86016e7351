"""What rules save in multiply-adds and in measured time, as part of a section."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.savings import Saving, Savings
from ..render import charts
from ..render.document import Grid, Picture, Points, Ref, Text
from ..render.time_savings import time_savings

Block = Text | Grid | Picture | Points


def saved_time(found: Sequence[Savings], ident: str) -> list[Block]:
    """A chart, a table and one sentence a rule for each set of conditions; a line where nothing
    was measured."""
    if not found:
        return [
            Text(
                "Not measured: how much time these save is not known here. "
                "Fewer operations need not be less time."
            )
        ]
    blocks: list[Block] = [Text(_summary(found))]
    for i, savings in enumerate(found):
        blocks += _conditions(savings, ident if i == 0 else f"{ident}-{i + 1}")
    return blocks


def _summary(found: Sequence[Savings]) -> str:
    rules = [rule for savings in found for rule in savings.rules]
    slower = sum(r.time_saved < 0 and not r.may_be_drift for r in rules)
    where = "; ".join(s.conditions for s in found)
    return (
        f"What this saves in time was measured under {len(found)} sets of conditions: {where}. "
        f"In {slower} of {len(rules)} cases fewer multiply-adds took longer."
    )


def _conditions(savings: Savings, ident: str) -> list[Block]:
    where = savings.conditions
    chart = charts.render(time_savings, (savings,), format="svg").decode()
    picture = Picture(
        chart[chart.index("<svg") :],
        f"Multiply-adds and time saved: {where}",
        "; ".join(map(_spoken, savings.rules)),
        f"{ident}-chart",
    )
    return [
        Text((f"On {where}", Ref(ident), Ref(f"{ident}-chart"), ":")),
        picture,
        Grid(savings.sheet, f"Multiply-adds and time saved: {where}", ident),
        Points(tuple(Text(f"{rule.name}: {rule.why}.") for rule in savings.rules)),
    ]


def _spoken(rule: Saving) -> str:
    return f"{rule.name}: MACs {rule.macs_saved:.1%}, time {rule.time_saved:.1%} saved"
