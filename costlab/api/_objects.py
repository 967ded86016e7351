"""What a caller gives in place of a model's name: a module, a program, or something that is
neither."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .._narrow import is_list_or_tuple
from ..trace import TraceError


def inputs_of(function: str, model: Any, inputs: Any, kwargs: Mapping[str, Any] | None) -> Any:
    """The inputs of an object in memory; none where it takes none.

    Raises TraceError for what is not a model, and for a module that needs inputs."""
    from ..trace.exported import is_program

    program = is_program(model)
    if not program and not hasattr(model, "named_parameters"):
        raise TraceError(
            f"costlab.{function} takes a torch.nn.Module, a costlab.load result or the name of a "
            f"model, not {type(model).__name__}"
        )
    if inputs is not None:
        return inputs
    if not program and not kwargs and _needs_inputs(model):
        raise TraceError(
            f"costlab.{function} needs inputs for {type(model).__name__}: "
            f"costlab.{function}(model, torch.empty(1, 3, 224, 224))"
        )
    return ()


def _needs_inputs(model: Any) -> bool:
    """Whether a module's forward cannot run without arguments, as far as it says."""
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return False
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(p.default is p.empty and p.kind in by_position for p in parameters)


# functions whose traces are of one kind, and what gives such a trace
_KINDS = {
    "roofline": ("a measured trace or its file", "costlab.measure(model, inputs)"),
    "times": ("measured traces or their files", "costlab.measure(model, inputs)"),
}


def advice(given: Any, function: str) -> str:
    """What to call instead, where a function cannot take what it was given as a model."""
    takes, trace = _KINDS.get(
        function, ("a trace or the name of a model", "costlab.trace(model, inputs)")
    )
    text = f"costlab.{function} takes {takes}, not"
    if hasattr(given, "named_parameters"):
        shown = "" if function in _KINDS else ", or costlab.summary(model, inputs)"
        return f"{text} a module: costlab.{function}({trace}){shown}"
    if function in _SEVERAL and is_list_or_tuple(given):
        return f"{text} a list; give the models one by one: costlab.{function}(*models)"
    return f"{text} {type(given).__name__}"


_SEVERAL = ("compare", "variants", "report")  # functions that take any number of models
