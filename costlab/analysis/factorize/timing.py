"""The predicted time of rewrites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from ...predict import Estimate, Prediction, Saving, estimates_sum, predicted_like, prediction_of
from ...trace import Trace
from ...trace.build import traced
from .candidates import Candidate
from .rewrites import Conv, build

Shape = tuple[int, ...]


def with_times(trace: Trace, found: Sequence[Candidate]) -> list[Candidate]:
    """The candidates of a trace with predicted times, those that save most time first; as they are
    where the trace has no prediction. Of bounds, which say nothing of a saving, in the same order.

    Each convolution and each rewrite is traced alone on the inputs that it has in the model."""
    if prediction_of(trace) is None:
        return list(found)
    alone = _Alone(trace)
    timed = [replace(c, time=alone.saving(c)) for c in found]
    return sorted(timed, key=lambda c: -(c.time_saved or 0.0))


class _Alone:
    """Convolutions of a model and their rewrites, each one predicted once."""

    def __init__(self, trace: Trace):
        self._trace = trace
        self._known: dict[tuple[Conv, str | None, int, Shape], Prediction] = {}

    def saving(self, c: Candidate) -> Saving:
        """All calls of a convolution, before and after."""
        return Saving(self._time(c, None), self._time(c, c.rewrite))

    def _time(self, c: Candidate, rewrite: str | None) -> Estimate:
        """All calls of a convolution, or of what replaces it."""
        calls = [self._prediction(c.conv, rewrite, c.mid, shape) for shape in c.inputs]
        return estimates_sum((p.total for p in calls), calls[0].correlation)

    def _prediction(self, conv: Conv, rewrite: str | None, mid: int, shape: Shape) -> Prediction:
        key = conv, rewrite, mid if rewrite else 0, shape
        if key not in self._known:

            def make() -> nn.Module:
                return build(conv, rewrite, mid) if rewrite else conv.build()

            found = prediction_of(predicted_like(traced(make, shape), self._trace))
            assert found
            self._known[key] = found
        return self._known[key]
