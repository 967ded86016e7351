"""Models that are objects in memory: modules, and programs of torch.export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._narrow import is_list_or_tuple
from ..trace.exported import example_inputs, is_program, module_of
from ._inputs import parse, real
from ._model import Inputs, Loaded, SourceError


def load_object(model: Any, inputs: Any = None, kwargs: Mapping[str, Any] | None = None) -> Loaded:
    """A module, or a program of torch.export, with its inputs; the object itself, as it is.

    Args:
        inputs: a tensor, a tuple of them, a dict by keyword, or texts as `--input` takes them;
            None for the inputs that a program was exported with.
        kwargs: inputs by keyword beside these.

    Raises SourceError for what is not a model, and for a model without inputs."""
    import torch

    if not is_program(model) and not isinstance(model, torch.nn.Module):
        raise SourceError(
            "a model is a name, a file, a torch.nn.Module or an ExportedProgram, not "
            f"{type(model).__name__}"
        )
    given = _inputs(model, inputs, kwargs)
    name = type(model).__name__
    if not given:
        raise SourceError(f"{name} needs inputs: costlab.load(model, torch.empty(1, 3, 224, 224))")
    module = module_of(model) if is_program(model) else model
    device = next((t.device.type for t in (*module.parameters(), *module.buffers())), "cpu")
    if device != "meta":
        given = real(given)
    return Loaded(module, given.args, given.kwargs, {"spec": name, "device": device})


def _inputs(model: Any, inputs: Any, kwargs: Mapping[str, Any] | None) -> Inputs:
    if inputs is None and not kwargs and is_program(model):
        return Inputs(*example_inputs(model))
    if inputs is None:
        return Inputs((), dict(kwargs or {}))
    if isinstance(inputs, Mapping):
        return Inputs((), {**inputs, **(kwargs or {})})
    if texts := _texts(inputs):
        parsed = parse(texts)
        return Inputs(parsed.args, {**parsed.kwargs, **(kwargs or {})})
    args = tuple(inputs) if is_list_or_tuple(inputs) else (inputs,)
    return Inputs(args, dict(kwargs or {}))


def _texts(inputs: object) -> list[str]:
    """Inputs that are all given as texts; empty where they are not."""
    given = [inputs] if isinstance(inputs, str) else inputs
    if not is_list_or_tuple(given):
        return []
    texts = [i for i in given if isinstance(i, str)]
    return texts if len(texts) == len(given) else []
