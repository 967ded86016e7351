"""What a reader of a predicted time must know."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from ..cost import byte_size
from ..trace import Trace
from .device_record import DeviceFacts
from .dtypes import dtype_of
from .estimate import Estimate
from .kernels import OpKernel
from .traffic import traffic


OUTSIDE = "outside what was measured"  # how the warning of it begins


def warnings(
    trace: Trace,
    facts: DeviceFacts,
    dtype: str,
    layout: str,
    ops: Sequence[OpKernel],
    estimates: Sequence[Estimate],
    *,
    missing: Collection[str] = (),
) -> Iterator[str]:
    """Where a trace and a device file do not fit; `dtype` and `layout` are those that are
    predicted, `missing` the families of kernels that were not measured."""
    version = trace.provenance["torch"]
    if _release(version) != _release(facts.torch):
        yield f"traced with torch {version}, and the device was measured with torch {facts.torch}"
    ran = dtype_of(trace)
    if dtype not in (ran, {"fp32": "tf32"}.get(ran)):
        yield f"traced in {ran}, and predicted in {dtype}"
    if other := load_of_others(facts):
        yield (
            f"the machine was busy with other work when it was calibrated (load {other:.1f}): "
            "times are too long"
        )
    if trace.measured and trace.measured.conditions["layout"] != layout:
        yield f"measured in {trace.measured.conditions['layout']}, and predicted in {layout}"
    memory = facts.machine.get("memory", math.inf)
    if not isinstance(memory, str):
        yield from no_room(traffic(trace, dtype, 0).given, facts.device, memory)
    yield from _outside(estimates)
    yield from _not_calibrated(trace, ops, missing)


def no_room(given: float, device: str, memory: float) -> Iterator[str]:
    """A model of which weights and inputs take more bytes than a device has."""
    if given > memory:
        yield (
            f"the weights and inputs of this model take {byte_size(int(given))}, and {device} has "
            f"{byte_size(int(memory))}: it does not fit"
        )


def load_of_others(facts: DeviceFacts) -> float:
    """The load of a CPU when its calibration began, where that is more than its cores; otherwise
    0."""
    load = facts.clocks.get("load", 0.0)
    cores = facts.machine.get("cores", math.inf)
    return load if not isinstance(cores, str) and load > cores else 0.0


def _outside(estimates: Sequence[Estimate]) -> Iterator[str]:
    seconds = math.fsum(e.seconds or 0.0 for e in estimates)
    far = [e.seconds or 0.0 for e in estimates if e.outside]
    if far and seconds:
        count = f"{len(far)} operation{'s' if len(far) > 1 else ''}"
        yield (
            f"{OUTSIDE}: {count}, {math.fsum(far) / seconds:.1%} of the time; calibrate for longer"
        )


def _not_calibrated(
    trace: Trace, ops: Sequence[OpKernel], missing: Collection[str]
) -> Iterator[str]:
    families = Counter(op.kernel.family for op in ops if op.kernel and op.kernel.family in missing)
    if families:
        yield (
            "predicted from other kernels, because none of theirs was measured: "
            f"{_listed(families)}"
        )
    unknown = Counter(
        op.name for op, kernel in zip(trace.forward, ops, strict=True) if not kernel.known
    )
    if unknown:
        yield (
            "predicted by their multiply-adds or bytes, because their kernels are not calibrated: "
            f"{_listed(unknown)}"
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} (x{n})" for name, n in counts.items())


def _release(version: str) -> str:
    """The release of a version of torch: 2.11 of 2.11.0+cu130."""
    return ".".join(version.split("+")[0].split(".")[:2])
