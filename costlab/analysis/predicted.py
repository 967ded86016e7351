"""The predicted time of each block of a model."""

from __future__ import annotations

from dataclasses import dataclass

from .._result import Result
from ..predict import Estimate, Prediction, prediction_notes
from ..tables import Column, Sheet, table
from ..trace import Trace


@dataclass(frozen=True)
class PredictedBlock:
    """A row of the model's table: its `name`, and its time with the interval, in seconds."""

    name: str
    time: Estimate


@dataclass(frozen=True)
class PredictedTimes(Result):
    """Predicted times of a model's blocks, and of the whole. `prediction`: where they come from,
    and the estimate of each operation."""

    model: str
    blocks: tuple[PredictedBlock, ...]
    prediction: Prediction

    @property
    def total(self) -> Estimate:
        """The time of the whole model, in seconds."""
        return self.prediction.total

    @property
    def sheet(self) -> Sheet:
        """A row a block, most of its time where it is predicted, the least where it is bounded."""
        bound = self.total.is_bound
        columns = (Column("block"), *(_BOUND if bound else _PREDICTED))
        whole = self.total.low if bound else self.total.seconds
        rows = tuple(
            {"block": block.name, **_cells(block.time, whole or 0.0)} for block in self.blocks
        )
        totals = {k: v for k, v in _cells(self.total, whole or 0.0).items() if k != "outside"}
        said = () if bound else (_COLUMNS_SAID,)
        notes = (*said, *prediction_notes(self.prediction))
        title = f"{self.model}: {'least' if bound else 'predicted'} time"
        return Sheet(title, columns, rows, notes, totals)


_COLUMNS_SAID = (
    "low, high: the 90% interval; outside: a part lies outside what was measured of the device"
)
_PREDICTED = (
    Column("predicted", "ms", format=",.3f"),
    Column("low", "ms", format=",.3f"),
    Column("high", "ms", format=",.3f"),
    Column("share", "%", format=".1%"),
    Column("outside"),
)
_BOUND = (Column("at least", "ms", format=",.3f"), Column("share", "%", format=".1%"))


def _cells(time: Estimate, whole: float) -> dict[str, object]:
    """Milliseconds, and the share of the whole."""
    if time.seconds is None or time.high is None:
        return {"at least": 1e3 * time.low, "share": time.low / whole if whole else 0.0}
    return {
        "predicted": 1e3 * time.seconds,
        "low": 1e3 * time.low,
        "high": 1e3 * time.high,
        "share": time.seconds / whole if whole else 0.0,
        "outside": "yes" if time.outside else None,
    }


def predicted_times(
    trace: Trace, prediction: Prediction, style: str = "auto", depth: int | None = None
) -> PredictedTimes:
    """The prediction by the rows of the model's table. Raises ValueError as `table` does."""
    rows = table(trace, style=style, depth=depth).rows
    blocks = tuple(PredictedBlock(row.own_name, prediction.over(row.ops)) for row in rows)
    return PredictedTimes(trace.provenance["model"], blocks, prediction)
