"""The model behind a name or a trace, built for real."""

from __future__ import annotations

import os
from typing import Any

from ..sources import Loaded, SourceError, is_recording, load
from ..trace import Trace


def real_model(model: Any) -> Loaded:
    """The model with random weights and inputs on the CPU; of a trace, the model that it is of.

    Raises SourceError where it cannot be built, TypeError for what names no model."""
    if isinstance(model, Loaded):
        return model
    if isinstance(model, (str, os.PathLike)):
        name = os.fspath(model)
        if not is_recording(name):
            return _built(name)
        model = load(name)
    if isinstance(model, Trace):
        given = [f"{shape}:{dtype}" for shape, dtype in model.provenance["inputs"]]
        return _built(model.provenance["model"], given)
    raise TypeError(
        f"costlab.verify takes a module with its inputs, or the name of a model, "
        f"not {type(model).__name__}"
    )


def _built(name: str, inputs: list[str] | None = None) -> Loaded:
    found = load(name, inputs, device="cpu")
    if not isinstance(found, Loaded):
        raise SourceError(f"{name} is a saved trace, and this needs the model itself")
    return found
