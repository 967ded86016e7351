"""The columns and cells of predicted times, the same in every table."""

from __future__ import annotations

from typing import Any

from ..predict import Estimate, Prediction, Saving, column_name, milliseconds, spell_estimate
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
        Column(column_name(prediction), "ms", print_only=True, importance=IMPORTANCE),
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


def saving_columns(prediction: Prediction) -> tuple[Column, ...]:
    """The columns of what changes save: of predictions the saving with its interval and whether it
    is decided, of bounds both sides."""
    if prediction.facts.kind == "datasheet":
        return tuple(
            c
            for side in ("before", "after")
            for c in (
                Column(f"ms {side} (at least)", "ms", print_only=True, importance=IMPORTANCE),
                Column(f"{LEAST}, {side}", "ms", format=_FORMAT, detail=True),
            )
        )
    return (
        Column("ms saved (predicted)", "ms", print_only=True, importance=IMPORTANCE),
        Column("it is", importance=IMPORTANCE),
        *(Column(key, "ms", format=_FORMAT, detail=True) for key in _SAVED),
    )


_SAVED = (
    *("predicted, before", "predicted, after"),
    *("predicted saving", "predicted saving, low", "predicted saving, high"),
)


def saving_cells(saving: Saving) -> dict[str, Any]:
    """The cells of `saving_columns`."""
    saved = saving.saved
    if saved is None:
        sides = {"before": saving.before, "after": saving.after}
        texts = {f"ms {k} (at least)": milliseconds(e.low) for k, e in sides.items()}
        return {**texts, **{f"{LEAST}, {k}": 1e3 * e.low for k, e in sides.items()}}
    seconds = saving.before.seconds, saving.after.seconds, saved.seconds, saved.low, saved.high
    return {
        "ms saved (predicted)": spell_estimate(saved),
        "it is": saving.outcome,
        **{k: 1e3 * s for k, s in zip(_SAVED, seconds, strict=True) if s is not None},
    }
