"""Where the cost goes, stage by stage."""

from __future__ import annotations

from ...analysis.ranking import most_expensive
from ...render import charts
from ...render.document import Picture, Text
from ..context import About, Context
from ..links import bar_links
from ..pieces import Block, chart, cited, listed, percent


def cost(c: Context) -> list[Block]:
    """A chart a model, and for the first one how the cost adds up."""
    found: list[Block] = []
    for m, ident in c.idents("stages"):
        first = m is c.models[0]
        found += _stages(m, ident, first)
        if first and len(m.profile.course) > 4:
            found.append(_cumulative(m))
    return found


def _stages(m: About, ident: str, linked: bool) -> list[Block]:
    steps = m.profile.steps
    if not steps:
        return [Text(f"{m.name} has no params and no MACs.")]
    spell = m.convention.spell_ops
    most = most_expensive(m.blocks, "macs")
    names = listed(
        f"{r.own_name} ({spell(r.macs)} MACs, {percent(r.macs, m.total.macs)})" for r in most
    )
    alt = "; ".join(f"{s.name} {spell(s.macs)} MACs" for s in steps)
    said = [cited(f"The most expensive blocks of {m.name} are {names}", ident)] if most else []
    return [
        *said,
        chart(
            charts.stages,
            m.profile,
            id=ident,
            caption=f"{m.name}: {listed(m.profile.quantities)} by stage, from input to output",
            alt=f"Bar charts of cost by stage: {alt}",
            links=bar_links(steps) if linked else None,
        ),
    ]


def _cumulative(m: About) -> Picture:
    what = m.profile.in_order.summed_up
    return chart(
        charts.cumulative,
        m.profile.in_order,
        id="cumulative",
        caption=f"{m.name}: share of all {what} up to each stage",
        alt=f"Lines of the cumulative share of {what} by stage",
    )
