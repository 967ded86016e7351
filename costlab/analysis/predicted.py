"""The predicted time of each block of a model."""

from __future__ import annotations

from dataclasses import dataclass

from .._result import Result
from ..predict import Estimate, Prediction, prediction_notes
from ..tables import Column, Sheet, predicted_cells, predicted_columns, table
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
        """A row a block: its time as tables have it, its share of the whole, and whether a part
        lies outside what was measured."""
        bound = self.total.is_bound
        columns = (
            Column("block"),
            *predicted_columns(self.prediction),
            Column("share", "%", format=".1%"),
            *(() if bound else (Column("outside"),)),
        )
        rows = tuple({"block": block.name, **self._cells(block.time)} for block in self.blocks)
        totals = {k: v for k, v in self._cells(self.total).items() if k != "outside"}
        said = () if bound else (_OUTSIDE,)
        notes = (*said, *prediction_notes(self.prediction))
        title = f"{self.model}: {'least' if bound else 'predicted'} time"
        return Sheet(title, columns, rows, notes, totals)

    def _cells(self, time: Estimate) -> dict[str, object]:
        """Of a block, or of the whole."""
        whole, part = (t.low if t.seconds is None else t.seconds for t in (self.total, time))
        return {
            **predicted_cells(self.prediction, time),
            "share": part / whole if whole else 0.0,
            "outside": "yes" if time.outside else None,
        }


_OUTSIDE = "outside: a part of the block lies outside what was measured of the device"


def predicted_times(
    trace: Trace, prediction: Prediction, style: str = "auto", depth: int | None = None
) -> PredictedTimes:
    """The prediction by the rows of the model's table. Raises ValueError as `table` does."""
    rows = table(trace, style=style, depth=depth).rows
    blocks = tuple(PredictedBlock(row.own_name, prediction.over(row.ops)) for row in rows)
    return PredictedTimes(trace.provenance["model"], blocks, prediction)
