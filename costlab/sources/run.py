"""A loaded model is traced or measured, on a device that suits it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..trace import Trace
from ._inputs import shape_text, taken_by
from ._model import Loaded

if TYPE_CHECKING:
    from torch import nn


# what a call of forward lacks, in Python's words
_MISSING = re.compile(r"(\w+)\.forward\(\) missing \d+ required [\w-]+ arguments?: ('[^(;]*')")


def trace_loaded(loaded: Loaded, device: str = "auto", **options: Any) -> Trace:
    """The trace of a loaded model, with its source and notes.

    Args:
        device: "cuda", "cpu", "meta"; "auto" is a GPU where there is one and the model is not too
            large, otherwise `meta`, and the CPU for a model that reads values.
        options: `train`, `fused` and `backward` of `costlab.trace`.

    Raises SourceError where it cannot be built on the device, TraceError where it cannot run."""
    if device == "auto" and loaded.rebuild is not None:
        return _trace_anywhere(loaded, options)
    # off `meta` with values of its own, because a buffer may decide what runs
    return _trace(loaded if device in ("auto", "meta") else loaded.on("cpu"), device, options)


def _trace_anywhere(loaded: Loaded, options: dict[str, Any]) -> Trace:
    import torch

    if torch.cuda.is_available() and _small(loaded):
        return _trace(loaded.on("cpu"), "cuda", options)
    return trace_on_host(loaded, **options)


def trace_on_host(loaded: Loaded, **options: Any) -> Trace:
    """The trace of a loaded model on `meta`, without memory for weights; on the CPU where it could
    only be built there, and where it reads values and is not too large. `options` and errors as of
    `trace_loaded`."""
    from ..trace import TraceError

    if loaded.provenance["device"] == "cpu":
        return _trace(loaded, "cpu", options)
    try:
        return _trace(loaded, "meta", options)
    except TraceError as e:
        if "needs real values" not in str(e) or not _small(loaded):
            raise
        return _trace(loaded.on("cpu"), "cpu", options)


def _small(loaded: Loaded) -> bool:
    """Whether the model and its inputs can be made for real."""
    import torch
    from torch.utils import _pytree as pytree

    from ..trace.build import LARGEST

    given = pytree.tree_leaves((loaded.inputs, loaded.kwargs))
    tensors = [*loaded.model.parameters(), *(t for t in given if isinstance(t, torch.Tensor))]
    return sum(t.numel() * t.element_size() for t in tensors) <= LARGEST


def _trace(loaded: Loaded, device: str, options: dict[str, Any]) -> Trace:
    """The trace of a loaded model, with its source. Where it fails on inputs that costlab chose,
    the TraceError says so."""
    from ..trace import TraceError
    from ..trace.tracer import trace

    spec = loaded.provenance["spec"]
    try:
        with loaded.scope():
            traced = trace(
                loaded.model, loaded.inputs, loaded.kwargs, device=device, spec=spec, **options
            )
    except TraceError as e:
        if not loaded.guessed:
            if advice := _advice(loaded, options, str(e)):
                raise TraceError(f"{e}; {advice}") from None
            raise
        takes = taken_by(loaded.model)
        raise TraceError(
            f"{e}; the inputs were costlab's own guess: name them (--input){takes}"
        ) from None
    return _with_source(traced, loaded)


def _advice(loaded: Loaded, options: dict[str, Any], error: str) -> str:
    """What to do about inputs on which a model fails; "" where that is not known."""
    if shapes := _batched(loaded, options):
        return f"is the batch missing? it runs on {shapes}"
    if "for argument 'indices'" in error:
        return "indices are integers, given as --input 1x16:int64"
    missing = _MISSING.search(error)
    if missing and missing[1] == type(loaded.model).__name__:
        names = re.findall(r"'(\w+)'", missing[2])
        return f"give {' '.join(f'--input {name}=SHAPE' for name in names)}"
    return ""


def _batched(loaded: Loaded, options: dict[str, Any]) -> str:
    """The shapes of the inputs with a batch of 1 before them, where the model runs on these; ""
    where it does not."""
    import torch

    from ..trace import TraceError
    from ..trace.tracer import trace

    tensors = [t for t in loaded.inputs if isinstance(t, torch.Tensor)]
    if not tensors or len(tensors) < len(loaded.inputs) or loaded.kwargs:
        return ""
    batched = tuple(t.unsqueeze(0) for t in tensors)
    try:
        with loaded.scope():
            trace(loaded.model, batched, device=loaded.provenance["device"], **options)
    except TraceError:
        return ""
    return ", ".join(shape_text(t.shape) for t in batched)


def measure_loaded(loaded: Loaded, device: str = "auto", **options: Any) -> Trace:
    """The measured trace of a loaded model, built for real; `options` of `costlab.measure`.

    Raises MeasureError, before any weight is made, where the weights do not fit."""
    from ..measure import measure

    _require_memory(loaded.model, device, options.get("dtype", "fp32"))
    real, spec = loaded.on("cpu"), loaded.provenance["spec"]
    with real.scope():
        measured = measure(
            real.model, real.inputs, real.kwargs, device=device, spec=spec, **options
        )
    return _with_source(measured, real)


def _require_memory(model: nn.Module, device: str, dtype: str) -> None:
    """A model on `meta` is built on the host in float32, then copied to the device in its dtype."""
    from ..measure.device import DTYPES, find_device
    from ..measure.prepare import require_memory

    params = list(model.parameters())
    if dtype not in DTYPES or any(p.device.type != "meta" for p in params):
        return  # `measure` says which dtypes there are; what is built already fits
    elements = sum(p.numel() for p in params)
    require_memory(elements * 4, find_device("cpu"), "fp32")
    require_memory(elements * DTYPES[dtype].itemsize, find_device(device), dtype)


def _with_source(trace: Trace, loaded: Loaded) -> Trace:
    """The trace with its source, such as the paper of a zoo model, and what its reader must
    know."""
    if "source" in loaded.provenance:
        trace.provenance["source"] = loaded.provenance["source"]
    if loaded.notes:
        trace.provenance["notes"] = list(loaded.notes)
    if loaded.use:
        trace.provenance["use"] = loaded.use
    return trace
