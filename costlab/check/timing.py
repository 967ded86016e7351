"""The time of a model: measured now, or taken from a saved trace; or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..analysis.limits import TraceFigures
from ..sources import Loaded
from ..trace import Measured, Trace
from . import notes
from .config import Timing

if TYPE_CHECKING:
    from ..measure.progress import Progress

_BLOCKS = 10  # of repeated calls


@dataclass(frozen=True)
class Times:
    """Measured times of a model.

    Attributes:
        figures: None where there are no times for this budget.
        on: device, dtype and layout.
        why: there are none.
    """

    figures: TraceFigures | None = None
    on: str = ""
    why: str = ""


@dataclass(frozen=True)
class Measuring:
    """How models are timed now: `device` is "auto", "cuda" or "cpu"; `progress` is told of each
    step."""

    device: str = "auto"
    progress: Callable[[str], None] = lambda text: None


def recorded_times(trace: Trace, wanted: Timing) -> Times:
    """The times that a saved trace has, if they are of the device, dtype and layout of the
    budget."""
    measured = trace.measured
    if measured is None:
        return Times(why=notes.not_measured(recorded=True))
    c = measured.conditions
    if not _is_on(wanted.device, c["device"], trace.provenance["device"]):
        return Times(why=notes.other_device(wanted.device, c["device"]))
    asked = (wanted.dtype, "channels-last" if wanted.channels_last else "")
    if any(a and a != has for a, has in zip(asked, (c["dtype"], c["layout"]), strict=True)):
        named = ", ".join(a for a in asked if a)
        return Times(why=notes.measured_otherwise(named, f"{c['dtype']}, {c['layout']}"))
    return Times(TraceFigures(trace), conditions(measured))


def measured_times(loaded: Loaded, wanted: Timing, how: Measuring) -> Times:
    """The times of a run on the device in hand, if it is the one of the budget; otherwise nothing
    runs.

    Raises MeasureError where the model does not fit, or the device does not have the dtype."""
    from ..measure.device import find_device
    from ..sources.run import measure_loaded

    def show(step: Progress) -> None:
        how.progress(str(step))

    device = find_device(how.device)
    name = device.describe()["device"]
    if not _is_on(wanted.device, name, device.kind):
        return Times(why=notes.other_device(wanted.device, name))
    trace = measure_loaded(
        loaded,
        device.kind,
        dtype=wanted.dtype or "fp32",
        channels_last=wanted.channels_last,
        isolate=False,
        blocks=_BLOCKS,
        progress=show,
    )
    assert trace.measured is not None
    return Times(TraceFigures(trace), conditions(trace.measured))


def conditions(measured: Measured) -> str:
    """What a time is of: "NVIDIA H100 80GB HBM3, fp32, contiguous"."""
    c = measured.conditions
    return ", ".join((c["device"], c["dtype"], c["layout"]))


def _is_on(wanted: str, name: str, kind: str) -> bool:
    """Whether a device is the one that a budget names, by its kind or by a part of its name."""
    return wanted.lower() in (kind, "") or wanted.lower() in name.lower()
