"""Rewrites and grid reductions found in each model."""

from __future__ import annotations

from dataclasses import replace

from ...analysis.factorize import candidate_sheet
from ...analysis.grid import reduction_sheet
from ...predict import prediction_of
from ...render.document import Grid, Text
from ...tables import Sheet
from ..context import About, Context
from ..pieces import Block, cited, listed

_SHOWN = 12  # rows of a ranking; the command lists the rest


def has_opportunities(c: Context) -> bool:
    """Whether a model has a convolution to rewrite, or a grid that shrinks otherwise."""
    return any(m.rewrites or m.parallel for m in c.models)


def opportunities(c: Context) -> list[Block]:
    """What rewriting each model would save."""
    found: list[Block] = []
    if not has_opportunities(c):
        names = listed(m.name for m in c.models)
        return [Text(f"Neither factorizing nor another grid reduction saves MACs of {names}.")]
    for (m, one), (_, two) in zip(c.idents("opportunities"), c.idents("reductions"), strict=True):
        found += [*_rewrites(m, one), *_reductions(m, two)]
    return found


def _rewrites(m: About, ident: str) -> list[Block]:
    if not m.rewrites:
        return []
    prediction = prediction_of(m.trace)
    sheet = candidate_sheet(m.name, m.rewrites, m.total, top=_SHOWN, prediction=prediction)
    order = "predicted time saved" if m.rewrites[0].time_saved is not None else "MACs saved"
    return [
        cited(
            f"Rewrites of single convolutions of {m.name} at their input's width, "
            f"ranked by {order}",
            ident,
            ". Each changes the model, which must be trained and measured again: "
            "28% fewer operations do not always take 28% less time.",
        ),
        Grid(
            _without(sheet, "params"),
            f"Convolutions of {m.name} that factorizing would make cheaper",
            ident,
        ),
    ]


def _reductions(m: About, ident: str) -> list[Block]:
    if not m.parallel:
        return []
    prediction = prediction_of(m.trace)
    sheet = reduction_sheet(m.name, m.reductions, m.total, top=_SHOWN, prediction=prediction)
    return [
        cited(
            f"Where the grid of {m.name} shrinks, and what a strided convolution beside a pool "
            "would save there",
            ident,
        ),
        Grid(_without(sheet, "narrowest"), f"Grid reductions of {m.name}", ident),
    ]


def _without(sheet: Sheet, start: str) -> Sheet:
    """The sheet without the columns whose keys begin so: a page is narrower than a terminal."""
    keep = tuple(column for column in sheet.columns if not column.key.startswith(start))
    return replace(sheet, columns=keep)
