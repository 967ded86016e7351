"""What a reader of a predicted time must know."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from ..trace import Trace
from .device_record import DeviceFacts
from .dtypes import dtype_of
from .estimate import Estimate
from .kernels import OpKernel


def warnings(
    trace: Trace,
    facts: DeviceFacts,
    dtype: str,
    layout: str,
    ops: Sequence[OpKernel],
    estimates: Sequence[Estimate],
) -> Iterator[str]:
    """Where a trace and a device file do not fit; `dtype` and `layout` are those that are
    predicted."""
    version = trace.provenance["torch"]
    if _release(version) != _release(facts.torch):
        yield f"traced with torch {version}, and the device was measured with torch {facts.torch}"
    ran = dtype_of(trace)
    if dtype not in (ran, {"fp32": "tf32"}.get(ran)):
        yield f"traced in {ran}, and predicted in {dtype}"
    if trace.measured and trace.measured.conditions["layout"] != layout:
        yield f"measured in {trace.measured.conditions['layout']}, and predicted in {layout}"
    yield from _outside(trace, ops, estimates)


def _outside(trace: Trace, ops: Sequence[OpKernel], estimates: Sequence[Estimate]) -> Iterator[str]:
    seconds = math.fsum(e.seconds or 0.0 for e in estimates)
    far = [e.seconds or 0.0 for e in estimates if e.outside]
    if far and seconds:
        count = f"{len(far)} operation{'s' if len(far) > 1 else ''}"
        yield (
            f"outside what was measured: {count}, {math.fsum(far) / seconds:.1%} of the time; "
            "calibrate for longer"
        )
    unknown = Counter(
        op.name for op, kernel in zip(trace.forward, ops, strict=True) if not kernel.known
    )
    if unknown:
        listed = ", ".join(f"{name} (x{n})" for name, n in unknown.items())
        yield f"predicted as copies, because their kernels are not calibrated: {listed}"


def _release(version: str) -> str:
    """The release of a version of torch: 2.11 of 2.11.0+cu130."""
    return ".".join(version.split("+")[0].split(".")[:2])
