"""From what a caller names a model with to its trace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..sources import Loaded, load
from ..trace import Trace

if TYPE_CHECKING:
    import torch

LARGEST = 4e9  # bytes of params up to which a model that `meta` cannot run is built for real

Model = Trace | Loaded | str | os.PathLike[str]


@dataclass(frozen=True)
class Build:
    """How a model is built: `load(device)` gives it on "meta" or "cpu"."""

    load: Callable[[str], Loaded]

    def trace(self, device: str = "auto", *, train: bool = False) -> Trace:
        """Trace it on a device; "auto" is a GPU where there is one and the model is not too large,
        otherwise `meta`, and the CPU for a model that reads values.

        Raises SourceError where it cannot be built, TraceError where it cannot run."""
        if device == "auto":
            return self._anywhere(train)
        return self._on(device, train)

    def _anywhere(self, train: bool) -> Trace:
        import torch

        from ..trace import TraceError

        loaded = self.load("meta")
        on_cpu = loaded.provenance["device"] == "cpu"  # it could only be built for real
        small = on_cpu or _bytes(loaded.model) <= LARGEST
        if torch.cuda.is_available() and small:
            return trace_loaded(loaded, "cuda", train) if on_cpu else self._on("cuda", train)
        if on_cpu:
            return trace_loaded(loaded, "cpu", train)
        try:
            return trace_loaded(loaded, "meta", train)
        except TraceError as e:
            if "needs real values" not in str(e) or not small:
                raise
            return self._on("cpu", train)

    def _on(self, device: str, train: bool) -> Trace:
        """Off `meta` with values of its own, because a buffer may decide what runs."""
        return trace_loaded(self.load("meta" if device == "meta" else "cpu"), device, train)


def _bytes(model: torch.nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in model.parameters())


def trace_loaded(loaded: Loaded, device: str, train: bool = False) -> Trace:
    """The trace of a loaded model on one device. Raises TraceError."""
    from ..trace.tracer import trace

    with loaded.scope():
        traced = trace(
            loaded.model,
            loaded.inputs,
            loaded.kwargs,
            device=device,
            spec=loaded.provenance["spec"],
            backward=train,
        )
    return with_source(traced, loaded)


def with_source(trace: Trace, loaded: Loaded) -> Trace:
    """The trace with its source, such as the paper of a zoo model, and with what its reader must
    know."""
    if "source" in loaded.provenance:
        trace.provenance["source"] = loaded.provenance["source"]
    if loaded.notes:
        trace.provenance["notes"] = list(loaded.notes)
    if loaded.use:
        trace.provenance["use"] = dict(loaded.use)
    return trace


def as_trace(model: Any, function: str) -> Trace:
    """The trace of what a public function was given: a trace, a name, a file or `costlab.load`'s.

    Raises TypeError for anything else, with what to do; SourceError, TraceError or TraceFileError
    where a named model cannot be had."""
    if isinstance(model, Trace):
        return model
    if isinstance(model, Loaded):
        return trace_loaded(model, "auto")
    if isinstance(model, (str, os.PathLike)):
        return trace_named(os.fspath(model))
    raise TypeError(_advice(model, function))


def trace_named(
    name: str,
    inputs: Sequence[str] | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Trace:
    """The trace of a model by name or file, on whatever device suits it; `inputs` and `arguments`
    as
    `costlab.load` takes them."""
    from ..sources import is_recording

    if is_recording(name):
        found = load(name, inputs, arguments=arguments)
        assert isinstance(found, Trace)  # a recording is read, never built
        return found

    def build(device: str) -> Loaded:
        model = load(name, inputs, arguments=arguments, device=device)
        assert isinstance(model, Loaded)
        return model

    return Build(build).trace()


def _advice(given: Any, function: str) -> str:
    kind = type(given).__name__
    takes = f"costlab.{function} takes a trace or the name of a model"
    if hasattr(given, "named_parameters"):
        return (
            f"{takes}, not a module: "
            f"costlab.{function}(costlab.trace(model, inputs)), or costlab.summary(model, inputs)"
        )
    return f"{takes}, not {kind}"
