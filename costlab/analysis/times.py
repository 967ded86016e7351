"""Multiply-adds against measured time, run by run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .._result import Charted
from ..cost import total
from ..measure.naming import RunName
from ..tables import Column, Sheet, display_names
from ..trace import Trace
from . import notes


@dataclass(frozen=True)
class TimedRun:
    """A measured run of a whole model.

    Attributes:
        name: of the model.
        conditions: device, dtype and layout.
        inputs: shape of the first input.
        macs: multiply-adds.
        seconds: the median; `low` and `high` are the ends of its 95% interval.
    """

    name: str
    conditions: str
    inputs: str
    macs: int
    seconds: float
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Multiply-adds a second."""
        return self.macs / self.seconds


@dataclass(frozen=True)
class Times(Charted):
    """Measured runs, in the order in which they were given."""

    runs: tuple[TimedRun, ...]

    chart_kind = "times"

    @property
    def sheet(self) -> Sheet:
        """A row a run."""
        columns = (
            Column("model"),
            Column("conditions"),
            Column("input", importance=4),
            Column("MACs", "MACs"),
            Column("time", "ms", format=",.4f"),
            Column("low", "ms", format=",.4f", importance=2),
            Column("high", "ms", format=",.4f", importance=2),
            Column("rate", "GMAC/s", format=",.1f"),
        )
        rows = tuple(
            {
                "model": run.name,
                "conditions": run.conditions,
                "input": run.inputs,
                "MACs": run.macs,
                "time": 1e3 * run.seconds,
                "low": 1e3 * run.low,
                "high": 1e3 * run.high,
                "rate": run.rate / 1e9,
            }
            for run in self.runs
        )
        return Sheet("MACs and measured time", columns, rows, notes.times())


def times(traces: Iterable[Trace]) -> Times:
    """The time of each measured trace beside its multiply-adds.

    Raises ValueError where one was not measured or has no multiply-adds, or there is none."""
    traces = list(traces)
    names = display_names([trace.provenance["model"] for trace in traces])
    runs = tuple(map(_run, traces, names))
    if not runs:
        raise ValueError("there is no measured trace; costlab trace MODEL --measure makes one")
    return Times(runs)


def _run(trace: Trace, name: str) -> TimedRun:
    if trace.measured is None:
        raise ValueError(f"{name} was not measured; costlab trace MODEL --measure does it")
    macs, run, time = total(trace).macs, RunName.of(trace), trace.measured.total
    if not macs:
        raise ValueError(f"{name} has no multiply-adds to compare with its time")
    conditions = f"{run.device.upper()}, {run.dtype}, {run.layout.upper()}"
    return TimedRun(name, conditions, run.inputs, macs, time.median, time.low, time.high)
