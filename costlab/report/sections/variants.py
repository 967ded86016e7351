"""Several variants against one base: the first model of the report and the others."""

from __future__ import annotations

from dataclasses import replace

from ...analysis.change import change
from ...analysis.diagram import compared
from ...analysis.variants import Variants
from ...render.document import Grid, Points, Text
from ..context import Context
from ..pieces import Block, cited, drawn_together
from ..waterfall import waterfall

_NONE = "A report on variants needs a base and a variant: name two models or more."


def variant_counts(c: Context) -> list[Block]:
    """What each variant changes, in counts."""
    if len(c.traces) < 2:
        return [Text(_NONE)]
    found = c.variants
    caption = f"Each version, and its change from {found.base.name}"
    return [Grid(found.sheet, caption, "variants")]


def variant_changes(c: Context) -> list[Block]:
    """Each variant block by block: a waterfall, and what changed marked in the drawing."""
    return [block for place in range(len(c.traces) - 1) for block in _changes(c, place)]


def _changes(c: Context, place: int) -> list[Block]:
    name, base = c.variants.others[place].name, c.variants.base.name
    result = replace(change(c.first, c.traces[place + 1]), base=base, head=name)
    if not result.differing:
        return [Text(f"Every block of {name} equals its counterpart in {base}.")]
    ident = f"variant-{place + 1}"
    pair = compared(result.traces.base, result.traces.head, words=("before", "after"))
    words = f"{name} changes {len(result.differing)} of {len(result.steps)} blocks"
    picture = waterfall(result, ident)
    return [
        cited(words, ident if picture else f"{ident}-blocks"),
        *picture,
        drawn_together(
            pair[1:],
            f"Block diagram of {name}, what changed from {base} marked",
            id=f"{ident}-blocks",
            caption=f"{name} as blocks; what changed from {base} is marked",
        ),
    ]


def variant_times(c: Context) -> list[Block]:
    """Each variant's measured time under every condition, and what follows."""
    found = c.variants
    if not found.conditions:
        return [Text(f"Neither {found.base.name} nor a variant was measured under one condition.")]
    caption = "Measured time of the whole model under each condition"
    return [Grid(found.times, caption, "variant-times"), *_decided(found)]


def _decided(found: Variants) -> list[Block]:
    return [Points(tuple(cited(words, "variant-times") for words in found.sentences()))]
