"""Rewrites and grid reductions found in each model."""

from __future__ import annotations

from dataclasses import replace

from ...analysis.factorize import candidate_sheet
from ...analysis.grid import reduction_sheet
from ...render.document import Grid, Text
from ...tables import Sheet
from ..context import About, Context
from ..pieces import Block, cited

_SHOWN = 12  # rows of a ranking; the command lists the rest


def opportunities(c: Context) -> list[Block]:
    """What rewriting each model would save."""
    found: list[Block] = []
    for (m, one), (_, two) in zip(c.idents("opportunities"), c.idents("reductions"), strict=True):
        found += [*_rewrites(m, one), *_reductions(m, two)]
    return found


def _rewrites(m: About, ident: str) -> list[Block]:
    if not m.rewrites:
        words = "is saved MACs by stacked 3x3 or by 1xn and nx1 pairs at its input's width"
        return [Text(f"No convolution of {m.name} {words}.")]
    sheet = candidate_sheet(m.name, m.rewrites, m.total, top=_SHOWN)
    return [
        cited(
            f"Rewrites of single convolutions of {m.name} at their input's width, "
            "ranked by MACs saved",
            ident,
            ". Each changes the model, which is to be trained and measured again: "
            "28% fewer operations need not be 28% less time.",
        ),
        Grid(
            _without(sheet, "params"),
            f"Convolutions of {m.name} that factorizing would make cheaper",
            ident,
        ),
    ]


def _reductions(m: About, ident: str) -> list[Block]:
    if not m.reductions:
        return [Text(f"The grid of {m.name} does not shrink by pools or strided convolutions.")]
    sheet = reduction_sheet(m.name, m.reductions, m.total, top=_SHOWN)
    return [
        cited(
            f"Where the grid of {m.name} shrinks, and what a strided convolution beside the pool "
            "would save there",
            ident,
        ),
        Grid(_without(sheet, "narrowest"), f"Grid reductions of {m.name}", ident),
    ]


def _without(sheet: Sheet, start: str) -> Sheet:
    """The sheet without the columns whose keys begin so: a page is narrower than a terminal."""
    keep = tuple(column for column in sheet.columns if not column.key.startswith(start))
    return replace(sheet, columns=keep)
