"""Every way to name a model, in the order in which they are asked, and how a name becomes a model.

A new source is a file with a `SOURCE` and a line here."""

from __future__ import annotations

import contextlib
import importlib.metadata
import inspect
import os
import re
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..trace import Trace
from ..zoo import names as zoo_names
from . import (
    diffusers,
    exported,
    importable,
    onnx_file,
    recorded,
    timm,
    torchvision,
    transformers,
    ultralytics,
    zoo,
)
from ._imports import import_failure, root_cause
from .._spelling import suggestion
from ._model import (
    Definition,
    Inputs,
    Loaded,
    Recording,
    Source,
    SourceError,
    described,
    first_line,
)
from ._offline import offline

if TYPE_CHECKING:
    import torch

SOURCES = {
    "zoo": zoo.SOURCE,
    "torchvision": torchvision.SOURCE,
    "timm": timm.SOURCE,
    "transformers": transformers.SOURCE,
    "ultralytics": ultralytics.SOURCE,
    "diffusers": diffusers.SOURCE,
    "onnx": onnx_file.SOURCE,
    "exported": exported.SOURCE,
    "trace": recorded.SOURCE,
    "importable": importable.SOURCE,
}
# what stands before the colon of a name
PREFIXES = [name for name, source in SOURCES.items() if source.form.startswith(f"{name}:")]
FORMS = ", ".join(source.form for source in SOURCES.values())


def find(spec: str) -> Definition | Recording:
    """Look a name up. Raises SourceError for one that no source knows."""
    source = _source(spec)
    if source is None:
        raise SourceError(_unknown(spec))
    try:
        with offline():
            return source.find(spec)
    except SourceError:
        raise
    except Exception as e:
        if cause := root_cause(e):
            raise SourceError(import_failure(spec, source.package, cause)) from None
        raise SourceError(f"importing {spec.rpartition(':')[0]} failed: {described(e)}") from None


def _source(spec: str) -> Source | None:
    return next((s for s in SOURCES.values() if s.accepts(spec)), None)


def _unknown(spec: str) -> str:
    if spec.endswith(".py") or os.sep in spec:
        return (
            f"{spec}: name its factory, as in {spec}:build"
            if os.path.exists(spec)
            else f"no file {spec}"
        )
    if os.path.isfile(f"{spec}.py"):
        return f"unknown model {spec!r}; for {spec}.py, name its factory, as in {spec}.py:build"
    near = suggestion(spec, zoo_names())
    return f"unknown model {spec!r}" + (
        near or "; `costlab list` shows the zoo, or give package.module:factory"
    )


def code_of(spec: str) -> str:
    """The file or module of a user's own that a name runs, "" for what runs none: a network of the
    zoo or of a library, and a recording."""
    source = _source(spec)
    return source.code(spec) if source else ""


def load(
    spec: str,
    inputs: Sequence[str] | None = None,
    *,
    arguments: Mapping[str, Any] | None = None,
    device: str = "meta",
    resize: Callable[[torch.Tensor], Sequence[int]] | None = None,
) -> Loaded | Trace:
    """The model that a name stands for, in evaluation mode and with inputs; no weights are loaded.

    Args:
        spec: such as "googlenet", "timm:resnet50", "path/net.py:build" or a saved trace's file.
        inputs: as `--input` writes them, such as ["1x3x224x224"]; None for the source's defaults.
        arguments: keyword arguments of the factory, or values of the configuration.
        device: "meta", without memory for weights, or "cpu", with random weights and inputs of
            seed 0. What cannot be built on `meta` is built on the CPU, with a note.
        resize: a function from an input tensor to the shape to use instead.

    Returns:
        A `Loaded`; of a file that holds a graph and no model, its `Trace`.

    Raises:
        SourceError: the name is not known, the model cannot be built, or it needs inputs.
    """
    found = find(spec)
    if isinstance(found, Recording):
        return _read(spec, found, inputs, arguments)

    def built(device: str) -> Loaded:
        loaded = _loaded(spec, found, inputs, dict(arguments or {}), device, resize)
        version = found.version() or _library_version(spec)
        guessed = not inputs and spec.startswith("transformers:")
        return replace(loaded, version=version, rebuild=built, guessed=guessed)

    return built(device)


def _library_version(spec: str) -> str:
    """Name and version of the library that a name is of."""
    source = _source(spec)
    package = source.package if source and source.package else spec.partition(".")[0]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError, ValueError):
        return f"{package} {importlib.metadata.version(package)}"
    return ""


def _read(
    spec: str,
    found: Recording,
    inputs: Sequence[str] | None,
    arguments: Mapping[str, Any] | None,
) -> Trace:
    """The trace in a file, which takes neither inputs nor arguments."""
    trace = found.read()
    if arguments or inputs:
        what = "arguments" if arguments else "inputs"
        raise SourceError(f"{spec} is a saved trace; {what} apply only when a model is traced")
    return trace


def _loaded(
    spec: str,
    found: Definition,
    inputs: Sequence[str] | None,
    arguments: Mapping[str, Any],
    device: str,
    resize: Callable[[torch.Tensor], Sequence[int]] | None,
) -> Loaded:
    """The model that a definition makes, in evaluation mode, with its inputs."""
    import torch

    from . import _inputs

    if found.reads_values:
        device = "cpu"
    model, refused = _built(spec, found, arguments, device)
    if not isinstance(model, torch.nn.Module):
        raise SourceError(
            f"{spec} returned an object of type {type(model).__name__}, not a torch.nn.Module"
        )
    given: Inputs = _inputs.parse(inputs) if inputs else found.inputs(model)
    if not given:
        raise SourceError(
            f"{spec} needs --input, for example --input 1x3x224x224 or --input name=1x16:int64"
            f"{_inputs.taken_by(model)}"
        )
    if resize:
        given = _inputs.resized(given, resize)
    if refused or device != "meta":
        device, given = "cpu", _inputs.real(given)
    provenance = {"spec": spec, "device": device}
    if origin := found.origin(model):
        provenance["source"] = origin
    return Loaded(
        model.eval(),
        given.args,
        given.kwargs,
        provenance,
        (
            *found.notes(model),
            *([f"built on the CPU, because on meta: {refused}"] if refused else ()),
        ),
        scope=found.scope,
    )


def _built(
    spec: str, found: Definition, arguments: Mapping[str, Any], device: str
) -> tuple[Any, str]:
    """The model, and why it is on the CPU where `meta` was asked for ("" where it was not)."""
    import torch

    from ..trace.build import build

    try:
        with warnings.catch_warnings(), offline(), found.scope():
            warnings.simplefilter("ignore")
            if device == "meta":
                model, refused = build(found.build, **arguments)
                return model, first_line(refused) if refused else ""
            torch.default_generator.manual_seed(0)
            return found.build(**arguments), ""
    except SourceError:
        raise
    except (Exception, SystemExit) as e:
        if cause := root_cause(e):
            package = getattr(_source(spec), "package", "")
            raise SourceError(import_failure(spec, package, cause)) from None
        advice = _accepted(found, arguments, e) or _lacking(found, arguments, e)
        raise SourceError(f"building {spec} failed: {described(e)}{advice}") from None


def _accepted(found: Definition, arguments: Mapping[str, Any], error: BaseException) -> str:
    """Where an argument is refused, what the factory takes; "" where that is not known."""
    refused = re.match(r"(\w+).*\(\) got an unexpected keyword argument '(\w+)'", str(error))
    if not isinstance(error, TypeError) or not refused or refused[2] not in arguments:
        return ""
    try:
        factory = _called(error, refused[1]) or found.build
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return ""
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if not names:
        known = any(p.kind is p.VAR_KEYWORD for p in parameters)
        return "" if known else "; it takes no arguments"
    return suggestion(refused[2], names) or f"; it takes {', '.join(names)}"


def _lacking(found: Definition, arguments: Mapping[str, Any], error: BaseException) -> str:
    """How to give the arguments that a factory needs and has not got; "" where it has all."""
    if not isinstance(error, TypeError):
        return ""
    parameters = _parameters(found)
    lacking = [p.name for p in parameters if p.default is p.empty and p.name not in arguments]
    return f"; give {' '.join(f'--arg {name}=VALUE' for name in lacking)}" if lacking else ""


def _parameters(found: Definition) -> list[inspect.Parameter]:
    """The parameters of a factory that have names; none where they are not known."""
    try:
        parameters = inspect.signature(found.build).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


def factory_arguments(spec: str) -> list[str]:
    """The names of the arguments that a model's factory takes; none where they are not known."""
    found = find(spec)
    return [p.name for p in _parameters(found)] if isinstance(found, Definition) else []


def _called(error: BaseException, name: str) -> type | None:
    """The class of a name where an error was raised, such as that which a factory calls."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    values = (*frame.f_locals.values(), *frame.f_globals.values())
    return next((v for v in values if isinstance(v, type) and v.__name__ == name), None)
