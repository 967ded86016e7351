"""The schemes of a grid reduction beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..._result import Charted, Drawn
from ...cost import total
from ...predict import prediction_of
from ...tables import Column, Sheet, predicted_cells, predicted_columns
from ...trace import Trace
from . import notes


@dataclass(frozen=True)
class Scheme:
    """One way from d x d x c_in to half the grid.

    Attributes:
        params: elements.
        macs: multiply-adds.
        out: (channels, H, W) of the output.
        activations: elements.
        narrowest: elements at the narrowest place that all data passes before the output; None
            where there is no such place.
        bottleneck: whether that is narrower than both the input and the output.
    """

    name: str
    params: int
    macs: int
    out: tuple[int, ...]
    activations: int
    narrowest: int | None
    bottleneck: bool
    trace: Trace


@dataclass(frozen=True)
class GridReduction(Charted, Drawn):
    """The schemes for one `input` (channels, H, W) and one output width; ratios are to the first,
    pool then convolution."""

    input: tuple[int, ...]
    schemes: tuple[Scheme, ...]
    notes: tuple[str, ...]

    chart_kind = "grid"

    @property
    def drawings(self) -> list[tuple[str, Trace]]:
        """The schemes."""
        return [("", s.trace) for s in self.schemes]

    @property
    def sheet(self) -> Sheet:
        """A row a scheme."""
        first = self.schemes[0]
        prediction = prediction_of(first.trace)
        columns = (
            Column("scheme"),
            Column("output"),
            Column("params", "params"),
            Column("MACs", "MACs"),
            Column("to pool first", "x", format=".4f"),
            Column("activations", "elements", importance=4),
            Column("narrowest", "elements", importance=3),
            Column("representational bottleneck", importance=6),
            *([Column("backward", "MACs")] if first.trace.trained else ()),
            *(predicted_columns(prediction) if prediction else ()),
        )
        title = f"grid reduction from {notes.grid_of(self.input)}"
        return Sheet(title, columns, tuple(_row(s, first) for s in self.schemes), self.notes)


def _row(scheme: Scheme, first: Scheme) -> dict[str, Any]:
    prediction = prediction_of(scheme.trace)
    return {
        "scheme": scheme.name,
        "output": notes.grid_of(scheme.out),
        "params": scheme.params,
        "MACs": scheme.macs,
        "to pool first": scheme.macs / first.macs if first.macs else None,
        "activations": scheme.activations,
        "narrowest": scheme.narrowest,
        "representational bottleneck": "YES" if scheme.bottleneck else "no",
        "backward": total(scheme.trace, scheme.trace.backward).macs,
        **(predicted_cells(prediction, prediction.total) if prediction else {}),
    }
