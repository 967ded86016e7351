"""Every way to name a model, in the order in which they are asked, and how a name becomes a model.

A new source is a file with a `SOURCE` and a line here."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..trace import Trace
from . import importable, onnx_file, recorded, timm, torchvision, transformers, zoo
from ._model import (
    Definition,
    Inputs,
    Loaded,
    Recording,
    Source,
    SourceError,
    first_line,
    suggestion,
)

if TYPE_CHECKING:
    import torch

SOURCES = {
    "zoo": zoo.SOURCE,
    "torchvision": torchvision.SOURCE,
    "timm": timm.SOURCE,
    "transformers": transformers.SOURCE,
    "onnx": onnx_file.SOURCE,
    "trace": recorded.SOURCE,
    "importable": importable.SOURCE,
}
FORMS = ", ".join(source.form for source in SOURCES.values())


def find(spec: str) -> Definition | Recording:
    """Look a name up. Raises SourceError for one that no source knows."""
    source = _source(spec)
    if source is None:
        raise SourceError(_unknown(spec))
    try:
        return source.find(spec)
    except ModuleNotFoundError as e:
        package = (e.name or "").partition(".")[0]
        if package == "torch":
            raise
        how = f"'costlab[{package}]'" if package == source.package else package
        raise SourceError(
            f"{spec} needs {e.name}, which is not installed here; pip install {how}"
        ) from None


def _source(spec: str) -> Source | None:
    return next((s for s in SOURCES.values() if s.accepts(spec)), None)


def _unknown(spec: str) -> str:
    if spec.endswith(".py") or os.sep in spec:
        return (
            f"{spec}: name its factory, as in {spec}:build"
            if os.path.exists(spec)
            else f"no file {spec}"
        )
    from ..zoo import names

    near = suggestion(spec, names())
    return f"unknown model {spec!r}" + (
        near or "; `costlab list` shows the zoo, or give package.module:factory"
    )


def is_recording(spec: str) -> bool:
    """Whether a name is of a file that holds a graph and no model to run, such as a saved trace."""
    source = _source(spec)
    return source is not None and source.records


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
        arguments: of the factory, or of the configuration.
        device: "meta", without memory for weights, or "cpu", with random weights and inputs of
            seed 0. What cannot be built on `meta` is built on the CPU, with a note.
        resize: from an input tensor to the shape that it takes instead.

    Returns:
        A `Loaded`; of a file that holds a graph and no model, its `Trace`.

    Raises:
        SourceError: the name is not known, the model cannot be built, or it needs inputs.
    """
    found = find(spec)
    if isinstance(found, Recording):
        return _read(spec, found, inputs, arguments)
    loaded = _loaded(spec, found, inputs, dict(arguments or {}), device, resize)
    version = found.version() or _library_version(spec)
    return replace(loaded, version=version)


def _library_version(spec: str) -> str:
    """Name and version of the library that a name is of."""
    source = _source(spec)
    package = source.package if source and source.package else spec.partition(".")[0]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError, ValueError):
        return f"{package} {importlib.metadata.version(package)}"
    return ""


def _read(spec, found: Recording, inputs, arguments) -> Trace:
    if arguments or inputs and not found.takes_inputs:
        what = "arguments" if arguments else "inputs"
        raise SourceError(f"{spec} is a recorded graph: it takes no {what}")
    from ._inputs import parse

    return found.read(parse(inputs) if inputs else None)


def _loaded(spec, found: Definition, inputs, arguments, device, resize) -> Loaded:
    import torch

    from . import _inputs

    model = _built(spec, found, arguments, device)
    if not isinstance(model, torch.nn.Module):
        raise SourceError(f"{spec} made a {type(model).__name__}, not a torch.nn.Module")
    given: Inputs = _inputs.parse(inputs) if inputs else found.inputs(model)
    if not given:
        raise SourceError(f"{spec} needs --input, for example --input 1x3x224x224")
    if resize:
        given = _inputs.resized(given, resize)
    if device != "meta":
        given = _inputs.real(given)
    provenance = {"spec": spec, "device": device}
    if origin := found.origin(model):
        provenance["source"] = origin
    return Loaded(
        model.eval(),
        given.args,
        given.kwargs,
        provenance,
        found.notes(model),
        scope=found.scope,
    )


def _built(spec, found: Definition, arguments, device):
    import torch

    from ..trace.build import build_on_meta

    try:
        with warnings.catch_warnings(), found.scope():
            warnings.simplefilter("ignore")
            if device == "meta":
                return build_on_meta(found.build, **arguments)
            torch.manual_seed(0)
            return found.build(**arguments)
    except (Exception, SystemExit) as e:
        raise SourceError(f"building {spec} failed: {first_line(e)}") from None
