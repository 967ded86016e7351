"""The columns and cells of predicted times, the same in every table."""

from __future__ import annotations

from typing import Any

from ..predict import Estimate, Prediction, column_name, spell_estimate
from .sheet import Column

_FORMAT = ",.6g"
IMPORTANCE = 8  # it was asked for
PREDICTED, LOW, HIGH, LEAST = "predicted", "predicted, low", "predicted, high", "at least"

# every key of `predicted_cells`
KEYS = (*map("ms ({})".format, ("predicted", "at least")), PREDICTED, LOW, HIGH, LEAST)


def predicted_columns(prediction: Prediction) -> tuple[Column, ...]:
    """One column for people, which has the interval too, and for machines one a number, in ms."""
    keys = (LEAST,) if prediction.facts.kind == "datasheet" else (PREDICTED, LOW, HIGH)
    return (
        Column(column_name(prediction), "ms", people=True, importance=IMPORTANCE),
        *(Column(key, "ms", format=_FORMAT, detail=True) for key in keys),
    )


def predicted_cells(prediction: Prediction, estimate: Estimate) -> dict[str, Any]:
    """The cells of `predicted_columns` for one estimate of a prediction."""
    cells: dict[str, Any] = {column_name(prediction): spell_estimate(estimate)}
    if estimate.seconds is None or estimate.high is None:
        return {**cells, LEAST: 1e3 * estimate.low}
    return {
        **cells,
        PREDICTED: 1e3 * estimate.seconds,
        LOW: 1e3 * estimate.low,
        HIGH: 1e3 * estimate.high,
    }
