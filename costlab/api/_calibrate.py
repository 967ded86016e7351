"""Measuring a device once, and predicting models on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..predict import AnyProfile, as_profile
from ..trace import Trace
from ._arguments import public
from ._models import Model, as_trace

if TYPE_CHECKING:
    from ..analysis.predicted import PredictedTimes
    from ..measure import Progress
    from ..predict.calibrated import CalibratedProfile
    from ..predict.kernels import Kernel

_DTYPES = {"cuda": ("fp32", "bf16"), "cpu": ("fp32",)}  # that are measured by default
_LAYOUTS = ("contiguous", "channels-last")


@public
def calibrate(
    path: str | os.PathLike[str],
    *,
    device: str = "auto",
    minutes: float = 5,
    dtypes: Sequence[str] | None = None,
    layouts: Sequence[str] = _LAYOUTS,
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> CalibratedProfile:
    """Measure a device, so that models can be predicted on it: its kernels over the sizes that
    networks have, the shapes of known networks first, and small networks whole.

    What is done is kept: it is written when the time is over or the run is interrupted, and lies in
    a journal beside the file, `path` with `.part`, while it runs.

    Args:
        path: of the .device file.
        device: "cuda", "cpu" or "auto".
        minutes: how long to measure. More of them make intervals narrower.
        dtypes: "fp32", "tf32", "bf16" and "fp16"; None for fp32, and on CUDA bf16 too.
        layouts: of images, "contiguous" and "channels-last".
        resume: continue with what the file, or its journal, has.
        progress: called with a `Progress` after every kernel.

    Returns the profile, as `costlab.predict` takes it.

    Raises MeasureError, a TraceError, for a device or dtype that is not available; ProfileError, a
    ValueError, where there is a file already, or one of another device or version of torch;
    ValueError for another layout or no time; OSError where the file cannot be written."""
    from ..measure.device import MeasureError, find_device
    from ..predict.calibrated import CalibratedProfile
    from ..predict.calibration.run import Plan
    from ..predict.calibration.run import calibrate as run

    kind = find_device(device).kind
    chosen = _conditions(dtypes or _DTYPES[kind], layouts, minutes)
    if kind != "cuda" and "tf32" in (dtypes or ()):
        raise MeasureError("tf32 products are for CUDA devices; choose fp32, bf16 or fp16")
    plan = Plan(_shapes, chosen, 60 * minutes)
    calibration = run(path, plan, device=kind, resume=resume, progress=progress)
    return CalibratedProfile(calibration, path)


def _conditions(
    dtypes: Sequence[str], layouts: Sequence[str], minutes: float
) -> list[tuple[str, str]]:
    """All pairs of dtype and layout. Raises ValueError for one that is not known."""
    from ..measure.device import DTYPES

    for names, known, what in ((dtypes, DTYPES, "dtype"), (layouts, _LAYOUTS, "layout")):
        for name in names:
            if name not in known:
                raise ValueError(f"unknown {what} {name!r}; choose {', '.join(known)}")
    if not layouts or not dtypes:
        raise ValueError("there is nothing to measure: name a dtype and a layout")
    if not 0 < minutes < 24 * 60:
        raise ValueError(f"minutes is {minutes:g}; give a time above 0 and below a day")
    return [(dtype, layout) for layout in layouts for dtype in dtypes]


def _shapes() -> Mapping[Kernel, int]:
    """The kernels that networks have: those of libraries and papers that were collected, and those
    of the zoo."""
    from ..predict.calibration.shapes import collected, of_traces

    return collected() + of_traces(_zoo_traces())


def _zoo_traces() -> Iterator[Trace]:
    from .. import zoo
    from ._models import trace

    for name in zoo.names():
        yield trace(name, device="meta")


@public
def predict(
    model: Model,
    profile: AnyProfile,
    *,
    dtype: str | None = None,
    layout: str | None = None,
    style: str = "auto",
    depth: int | None = None,
) -> PredictedTimes:
    """The time of a model on a device that need not be here, block by block, each with its 90%
    interval.

    Args:
        model: a trace, or a name or file as `costlab.load` takes it.
        profile: a .device file; the name of a datasheet, or a .toml file that is one, which give
            the least time possible; or what `costlab.calibrate` and `costlab.load_profile` give.
        dtype: that the model runs in there: "fp32", "tf32", "bf16" or "fp16"; None for its own.
        layout: "contiguous" or "channels-last"; None for contiguous, or as it was measured.
        style, depth: rows as in `costlab.table`.

    Raises ProfileError, a ValueError, for a profile that cannot be read, and for a dtype or layout
    that it has nothing of."""
    from ..analysis.predicted import predicted_times

    chosen = as_profile(profile)
    trace = as_trace(model, "predict")
    prediction = chosen.profile.predict(
        trace, dtype=dtype or chosen.dtype, layout=layout or chosen.layout
    )
    return predicted_times(trace, prediction, style, depth)
