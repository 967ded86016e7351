"""Rewrites as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...cost import Total
from ...predict import Prediction
from ...tables import Column, Sheet, saving_cells, saving_columns
from . import notes
from .candidates import Candidate
from .obstacles import Obstacle

COLUMNS = (
    Column("convolution"),
    Column("rewrite"),
    Column("shape"),
    Column("params before", "params", importance=3),
    Column("params after", "params", importance=3),
    Column("MACs before", "MACs", importance=4),
    Column("MACs after", "MACs", importance=4),
    Column("MACs saved", "%", format=".1%"),
)


def cells(c: Candidate) -> dict[str, Any]:
    """A row's cells by column."""
    kernel = notes.times(c.conv.kernel)
    return {
        "convolution": c.path,
        "rewrite": c.rewrite,
        "shape": f"{kernel}, {c.conv.c_in} -> {c.conv.c_out}, middle {c.mid}",
        "params before": c.params[0],
        "params after": c.params[1],
        "MACs before": c.macs[0],
        "MACs after": c.macs[1],
        "MACs saved": c.saved / c.macs[0],
        **(saving_cells(c.time) if c.time else {}),
    }


def candidate_sheet(
    model: str,
    found: Sequence[Candidate],
    whole: Total,
    left: Mapping[str, Obstacle] | None = None,
    top: int | None = None,
    prediction: Prediction | None = None,
) -> Sheet:
    """The ranking: a row a candidate, the largest saving first, of all that were `found` the first
    `top`. `left`: convolutions that cannot be replaced, path to obstacle; `prediction`: of the
    model, where a profile was given."""
    rows = tuple(cells(c) | {"of the model": c.saved / whole.macs} for c in found[:top])
    times = saving_columns(prediction) if prediction else ()
    return Sheet(
        f"{model}: rewrites",
        (*COLUMNS, Column("of the model", "%", format=".2%"), *times),
        rows,
        (
            *notes.ranking(found, len(rows), whole, left or {}),
            *(notes.times_of_rewrites(found, prediction) if prediction else ()),
        ),
    )
