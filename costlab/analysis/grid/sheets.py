"""The places of a model where its grid shrinks, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...cost import Total
from ...predict import Prediction, prediction_notes
from ...tables import Column, Sheet, saving_cells, saving_columns
from . import notes
from .reductions import Reduction

_COLUMNS = (
    Column("place"),
    Column("scheme"),
    Column("from", importance=3),
    Column("to"),
    Column("narrowest", "elements", importance=2),
    Column("representational bottleneck", importance=6),
    Column("MACs", "MACs"),
    Column("MACs in parallel", "MACs"),
    Column("of the model", "%", format=".1%"),
)


def reduction_sheet(
    model: str,
    found: Sequence[Reduction],
    whole: Total,
    top: int | None = None,
    prediction: Prediction | None = None,
) -> Sheet:
    """A row a place, of all that were `found` the first `top`; `whole` the total of the model, and
    `prediction` of it where a profile was given."""
    rows = tuple(_row(r, whole) for r in found[:top])
    columns = (*_COLUMNS, *(saving_columns(prediction) if prediction else ()))
    said = notes.reductions(len(found), len(rows))
    times = prediction_notes(prediction, "the model") if prediction else ()
    return Sheet(f"{model}: grid reductions", columns, rows, (*said, *times))


def _row(r: Reduction, whole: Total) -> dict[str, Any]:
    return {
        "place": r.place,
        "scheme": r.scheme,
        "from": notes.grid_of(r.before),
        "to": notes.grid_of(r.after),
        "narrowest": r.narrowest,
        "representational bottleneck": "YES" if r.bottleneck else "no",
        "MACs": r.macs,
        "MACs in parallel": r.parallel,
        "of the model": r.saved / whole.macs if r.parallel is not None and whole.macs else None,
        **(saving_cells(r.time) if r.time else {}),
    }
