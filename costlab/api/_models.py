"""From what a caller names a model with to the model, to its trace, to a measured trace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..predict import AnyProfile, AnyRate, ChosenProfile, Rate, as_profile, predicted, priced
from ..sources import Loaded, SourceError
from ..sources import load as load_named
from ..trace import Trace
from ._arguments import public
from ._objects import advice, inputs_of

if TYPE_CHECKING:
    import torch

    from ..measure import Progress

Model = Trace | Loaded | str | os.PathLike[str]
CONTEXT = 4096  # tokens of a phase, where they are not given


@public
def load(
    model: Any,
    inputs: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    arguments: Mapping[str, Any] | None = None,
    device: str = "meta",
    resize: Callable[[torch.Tensor], Sequence[int]] | None = None,
    phase: str | None = None,
    context: int = CONTEXT,
    batch: int = 1,
) -> Loaded | Trace:
    """A model with its inputs. No weights are downloaded or read from a hub.

    Args:
        model: a name such as "googlenet", "timm:resnet50" or "path/net.py:build", a file, a
            `torch.nn.Module`, or an `ExportedProgram`. An object is used as it is.
        inputs: for a name, strings as `--input` takes them, such as ["1x3x224x224"]; None for the
            source's defaults. For an object, tensors too.
        kwargs: for an object, keyword inputs.
        arguments: keyword arguments of the factory, or values of the configuration.
        device: "meta", without memory for weights, or "cpu", with random weights and inputs of
            seed 0. What cannot be built on `meta` is built on the CPU, with a note.
        resize: a function from an input tensor to the shape to use instead.
        phase: for a causal language model of transformers: "prefill" reads `context` tokens into a
            KV cache, "decode" generates one token after them; both for `batch` sequences.

    Returns a `Loaded`, or the `Trace` of a saved trace's file.

    Raises SourceError, a ValueError: the name is not known, or the model cannot be built, or needs
    inputs."""
    if not isinstance(model, (str, os.PathLike)):
        return _object(model, inputs, kwargs, {"arguments": arguments, "phase": phase})
    if kwargs:
        raise SourceError(
            "for a model given by name, inputs are strings, keyword inputs too: "
            'costlab.load(name, ["mask=1x16:int64"])'
        )
    texts = [inputs] if isinstance(inputs, str) else inputs
    found = load_named(os.fspath(model), texts, arguments=arguments, device=device, resize=resize)
    if phase is None:
        return found
    if not isinstance(found, Loaded):
        raise SourceError("this is a saved trace; a phase is chosen when a model is traced")
    from ..sources.phases import Use, in_phase

    return in_phase(found, Use(phase, context, batch))


def _object(
    model: Any, inputs: Any, kwargs: Mapping[str, Any] | None, options: Mapping[str, Any]
) -> Loaded:
    from ..sources.objects import load_object

    if given := [name for name, value in options.items() if value]:
        raise SourceError(f"{given[0]} applies to a model given by name, not to an object")
    return load_object(model, inputs, kwargs)


@public
def trace(
    model: Any,
    inputs: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    device: str | torch.device = "auto",
    spec: str | None = None,
    train: bool | None = None,
    fused: bool = False,
    backward: bool = False,
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
) -> Trace:
    """Run a model once and record what it did.

    Args:
        model: any `torch.nn.Module`, or an `ExportedProgram`; it is left exactly as it was, even if
            the run fails. Or a `costlab.load` result, a name or a file.
        inputs: a tensor, a tuple of positional inputs, or a dict of keyword inputs; nested values
            are fine. For a name, strings as `--input` takes them, or None for the defaults. A
            program needs none if it was exported with inputs.
        kwargs: keyword inputs, besides positional ones.
        device: "cuda", "cpu", "meta" (shapes only, no arithmetic) or "auto": CUDA if available,
            otherwise the device of a module's params; for a name `meta` if possible.
        spec: the name of a module in the provenance.
        train: None keeps the model's own mode.
        fused: let torch choose fused attention and recurrent kernels, which differ by device,
            instead of the plain forms.
        backward: trace the backward pass too, in training mode unless `train` is False; `Op.of`
            tells the two apart.
        profile: of a device: a name, a .device file, or what `load_profile` gives. Tables and
            analyses of the trace show the times that it predicts.
        rate: price of an hour of the device, in any currency: they also show what a million inputs
            cost, by the measured or predicted time.

    Raises ProfileError: the profile cannot be read, or says nothing of the model. TraceError: the
    device is missing, or the model failed on these inputs. SourceError: a name is not known, or its
    model cannot be built. ValueError: a saved trace was named, with a device or with a backward
    pass that it does not have; or a rate is not above 0, or there is no time that it prices."""
    options: dict[str, Any] = {"train": train, "fused": fused, "backward": backward}
    if isinstance(model, (str, os.PathLike)):
        model = load(model, inputs)
    found = _traced(model, inputs, kwargs, device=device, spec=spec, **options)
    return priced(predicted(found, profile), rate)


def _traced(
    model: Any,
    inputs: Any,
    kwargs: Mapping[str, Any] | None,
    *,
    device: str | torch.device,
    spec: str | None,
    train: bool | None,
    fused: bool,
    backward: bool,
) -> Trace:
    """The trace of a model, a `load` result or a trace; see `trace`."""
    options: dict[str, Any] = {"train": train, "fused": fused, "backward": backward}
    if isinstance(model, Loaded):
        from ..sources.run import trace_loaded

        return trace_loaded(model, str(device), **options)
    if isinstance(model, Trace):
        _require_as_recorded(model, str(device), backward)
        return model
    from ..trace.tracer import trace as record

    given = inputs_of("trace", model, inputs, kwargs)
    return record(model, given, kwargs, device=str(device), spec=spec, **options)


def _require_as_recorded(trace: Trace, device: str, backward: bool) -> None:
    """Raise ValueError for what a trace that is there does not have."""
    name = trace.provenance["model"]
    if device != "auto":
        raise ValueError(f"{name} is a saved trace, which runs on no device; leave out device")
    if backward and not trace.trained:
        raise ValueError(f"{name} has no backward pass; trace the model again in training mode")


@public
def measure(
    model: Any,
    inputs: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    device: str = "auto",
    dtype: str = "fp32",
    channels_last: bool = False,
    compile: bool = False,
    blocks: int = 20,
    isolate: bool = True,
    spec: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Trace:
    """Trace a model and measure it: inference, in evaluation mode, on a copy of the model.

    Args:
        model, inputs, kwargs: as `costlab.trace` takes them; real values (zeros take less power,
            so clocks are higher). A name is built with random weights.
        device: "cuda", "cpu" or "auto".
        dtype: "fp32", "tf32" (float32 with TF32 products), "bf16" or "fp16".
        channels_last: 4-d tensors as NHWC.
        compile: time `torch.compile(model)` too.
        blocks: number of blocks of repeated calls of the whole model; fewer if it is slow.
        isolate: time single modules too.
        spec: the name of a module in the provenance.
        progress: called with a `Progress` at every step.

    Returns a `Trace` whose `measured` is filled, in seconds and bytes.

    Raises MeasureError, a TraceError, for a device or dtype that is not available, and for a model
    that does not fit; TraceError when the model fails; SourceError for a name that is not known."""
    options: dict[str, Any] = {
        "dtype": dtype,
        "channels_last": channels_last,
        "compile": compile,
        "blocks": blocks,
        "isolate": isolate,
        "progress": progress,
    }
    if isinstance(model, (str, os.PathLike)):
        model = load(model, inputs)
    if isinstance(model, Trace):
        raise SourceError(
            f"{model.provenance['model']} is a saved trace, and this needs the model itself; "
            "name the model"
        )
    if isinstance(model, Loaded):
        from ..sources.run import measure_loaded

        return measure_loaded(model, device, **options)
    from ..measure.protocol import measure as run

    given = inputs_of("measure", model, inputs, kwargs)
    return run(model, given, kwargs, device=device, spec=spec, **options)


def as_trace(
    model: Any,
    function: str,
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
) -> Trace:
    """The trace of what a public function was given: a trace, a name, a file or `costlab.load`'s;
    with a `profile` the times that it predicts too, and with a `rate` the price.

    Raises ProfileError where the profile cannot be read or says nothing of the model; ValueError
    for a rate, as `trace` does; TypeError for anything that is not a model, with what to do;
    SourceError, TraceError or TraceFileError where a named model cannot be had."""
    if isinstance(model, (Trace, Loaded, str, os.PathLike)):
        return trace(model, profile=profile, rate=rate)
    raise TypeError(advice(model, function))


def default_rate(price: float) -> Rate:
    """The price of an hour that is a default of the user's: what a file names goes before it, and
    it is left out where there is no time."""
    return Rate(price, fallback=True)


@public
def load_profile(
    profile: AnyProfile, *, dtype: str | None = None, layout: str | None = None
) -> ChosenProfile:
    """A profile of a device, for the `profile` of other functions: they predict times by it.

    Args:
        profile: the name of a datasheet, such as "h100" (`costlab.profiles` lists them), or a .toml
            file that is one, which give bounds; or a .device file, which `costlab calibrate`
            writes.
        dtype: that models run in there: "fp32", "tf32", "bf16", "fp16" or "int8"; None for what a
            trace ran in.
        layout: "contiguous" or "channels-last"; None for contiguous.

    Raises ProfileError, a ValueError, for a name that is not known and a file that cannot be
    read."""
    found = as_profile(profile)
    return replace(found, dtype=dtype or found.dtype, layout=layout or found.layout)


def trace_named(
    name: str,
    inputs: str | Sequence[str] | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Trace:
    """The trace of a model by name or file, on whatever device suits it; `inputs` and `arguments`
    as `load` takes them."""
    return trace(load(name, inputs, arguments=arguments))


def real_model(model: Model) -> Loaded:
    """The model on the CPU, with random weights and inputs where it was named; of a trace, the
    model that it is of.

    Raises SourceError where it cannot be built."""
    found = load(model) if isinstance(model, (str, os.PathLike)) else model
    if isinstance(found, Trace):
        given = [f"{shape}:{dtype}" for shape, dtype in found.provenance["inputs"]]
        found = load(found.provenance["model"], given)
    if not isinstance(found, Loaded):
        raise SourceError(f"{found.provenance['model']} is a saved trace, not a model")
    return found.on("cpu")
