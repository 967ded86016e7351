"""The numbers of one configuration; this is what a worker runs."""

from __future__ import annotations

from typing import Any

from ...cost import total
from ...predict import Prediction, prediction_of, prediction_source
from ...predict.notes import OUTSIDE
from ...trace import Measured, Trace
from ..memory import Memory, memory
from ..price import items_of
from .configurations import Setup, opened
from .result import Configuration

_BLOCKS = 10  # of repeated calls; a sweep has many configurations to measure


def count(configuration: Configuration) -> dict[str, Any]:
    """By name: `params`, `macs` and `activations` in elements and multiply-adds, the estimated peak
    `memory` in bytes; where it is measured, the time and the `peak` memory too.

    Raises SourceError, TraceError or MeasureError where it cannot run."""
    loaded, setup = opened(configuration)
    trace = setup.predicted(_traced(loaded, setup))
    cost, estimate = total(trace), memory(trace)
    counted = {
        "params": cost.params,
        "macs": cost.macs,
        "activations": cost.activations,
        "memory": estimate.whole,
        "items": items_of(trace),
    }
    if trace.measured:
        counted |= _measured(trace.measured, estimate, items_of(trace))
    if prediction := prediction_of(trace):
        counted |= _predicted(prediction)
    return counted


def _predicted(prediction: Prediction) -> dict[str, Any]:
    """The predicted time and its interval, or the bound, in ms; where they are from, and how much
    lies outside what was measured."""
    whole = prediction.total
    warnings = [w for w in prediction.warnings if not w.startswith(OUTSIDE)]
    said = [prediction_source(prediction), *warnings]
    if whole.seconds is None or whole.high is None:
        return {"least": 1e3 * whole.low, "predicted by": said}
    times = {"predicted": whole.seconds, "predicted low": whole.low, "predicted high": whole.high}
    milliseconds = {k: 1e3 * s for k, s in times.items()}
    return {**milliseconds, "predicted by": said, "outside": prediction.outside}


def _traced(loaded: Any, setup: Setup) -> Trace:
    from ...sources.run import measure_loaded, trace_loaded

    if not setup.measure:
        return trace_loaded(loaded, setup.device, backward=setup.train)
    return measure_loaded(
        loaded,
        setup.device,
        dtype=setup.dtype,
        channels_last=setup.channels_last,
        compile=setup.compile,
        isolate=False,
        blocks=_BLOCKS,
    )


def _measured(m: Measured, estimate: Memory, items: int) -> dict[str, Any]:
    """The median time and its interval in ms, items a second, and the allocator's peak in bytes
    with what is there all the time."""
    always = estimate.whole - estimate.peak
    return {
        "ms": 1e3 * m.total.median,
        "low": 1e3 * m.total.low,
        "high": 1e3 * m.total.high,
        "peak": None if m.peak is None else always + m.peak,
        "rate": items / m.total.median,
    }
