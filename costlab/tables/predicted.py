"""The columns and cells of predicted times, the same in every table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..predict import (
    Estimate,
    Prediction,
    Saving,
    column_name,
    milliseconds,
    significant,
    spell_estimate,
)
from .sheet import Column

_FORMAT = ",.6g"
IMPORTANCE = 8  # it was asked for
OUTCOME = "predicted to be"  # faster, slower or not decided
PREDICTED, LOW, HIGH, LEAST = "predicted", "predicted, low", "predicted, high", "at least"

# every key of `predicted_cells`
KEYS = (*map("ms ({})".format, ("predicted", "at least")), PREDICTED, LOW, HIGH, LEAST)
_SAVING = "ms saved (predicted)"
_SAVED = (
    *("predicted, before", "predicted, after"),
    *("predicted saving", "predicted saving, low", "predicted saving, high"),
)
# columns of texts, and those of the numbers in them
TEXTS = {
    "ms (predicted)": (PREDICTED, LOW, HIGH),
    "ms (at least)": (LEAST,),
    _SAVING: _SAVED[2:],
    **{f"ms {side} (at least)": (f"{LEAST}, {side}",) for side in ("before", "after")},
}


def spell_numbers(values: Sequence[float]) -> str:
    """A text of `TEXTS` from its numbers: 1.23 (1.10 to 1.38), or of a bound 0.912."""
    middle, *ends = map(significant, values)
    return f"{middle} ({' to '.join(ends)})" if ends else middle


def predicted_columns(prediction: Prediction) -> tuple[Column, ...]:
    """One column for people, which has the interval too, and for machines one a number, in ms."""
    return columns_of_text(column_name(prediction))


def columns_of_text(text: str) -> tuple[Column, ...]:
    """A column of `TEXTS`, and those of its numbers."""
    return (
        Column(text, "ms", print_only=True, importance=IMPORTANCE),
        *(Column(key, "ms", format=_FORMAT, detail=True) for key in TEXTS[text]),
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
        Column(_SAVING, "ms", print_only=True, importance=IMPORTANCE),
        Column(OUTCOME, importance=IMPORTANCE),
        *(Column(key, "ms", format=_FORMAT, detail=True) for key in _SAVED),
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
        _SAVING: spell_estimate(saved),
        OUTCOME: saving.outcome,
        **{k: 1e3 * s for k, s in zip(_SAVED, seconds, strict=True) if s is not None},
    }
