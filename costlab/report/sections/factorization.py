"""The rules of factorized convolutions."""

from __future__ import annotations


from ...analysis.diagram import modules
from ...analysis.factorize import Rule, curve, rules
from ...analysis.savings import factorization_savings
from ...render import charts
from ...render.document import Grid, Picture, Ref, Text
from ..context import Context
from ..pieces import Block, chart, cited, drawn_together
from ..saved_time import saved_time

_DRAWN = ("5x5 -> 3x3 + 3x3", "7x7 -> three 3x3", "3x3 -> 1x3 + 3x1")
_WIDTH = 64  # channels in and out


def factorization(c: Context) -> list[Block]:
    """What the rules save at equal and at other widths, drawn, and what that is in time."""
    return [
        *_equal_widths(),
        *_narrow(),
        *(_before_and_after(r) for r in rules().rules if r.name in _DRAWN),
        *saved_time(factorization_savings(c.runs), "rules-measured"),
    ]


def _equal_widths() -> list[Block]:
    found = rules()
    spoken = "; ".join(f"{r.name} {100 * r.saving:.1f}%" for r in found.rules)
    return [
        Text(
            (
                f"Each rule is measured by tracing both modules at {_WIDTH} channels",
                Ref("rules"),
                "; what it saves depends on the widths",
                Ref("rules-chart"),
                ".",
            )
        ),
        Grid(found.sheet, "Factorized convolutions at equal widths", "rules"),
        chart(
            charts.savings,
            found,
            curve(_WIDTH, _WIDTH),
            id="rules-chart",
            caption="MACs saved at equal widths, and the break-even width of a 5x5 as two 3x3",
            alt=f"Bars of MACs saved by rule: {spoken}",
        ),
    ]


def _narrow() -> list[Block]:
    return [
        cited(
            "At other widths the saving differs. GoogLeNet's own 5x5 branches go from 16 to 32 "
            "channels in module 3a, where two 3x3 with the output's width between them cost more",
            "rules-chart-narrow",
        ),
        chart(
            charts.savings,
            rules(16, 32),
            curve(16, 32),
            id="rules-chart-narrow",
            caption="The same from 16 to 32 channels, as in GoogLeNet's module 3a",
            alt="Bars and break-even curve from 16 to 32 channels",
        ),
    ]


def _before_and_after(rule: Rule) -> Picture:
    diagrams = modules(list(zip(("before", "after"), rule.traces, strict=True)))
    alt = "; ".join(f"{d.title}: {d.alt}" for d in diagrams)
    ident = f"pair-{rule.name.split(' ')[0]}"
    return drawn_together(diagrams, alt, id=ident, caption=f"{rule.name}, before and after")
