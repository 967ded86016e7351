"""torchvision's models, on the input size of their weights' preset."""

from __future__ import annotations

import inspect
import sys
import types
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._narrow import is_list_or_tuple
from ._inputs import parse, shape_text
from .._spelling import suggestion
from ._model import Definition, Inputs, Source, SourceError

if TYPE_CHECKING:
    from torch import nn

_PREFIX = "torchvision:"
_WEIGHTS = ("weights", "weights_backbone")


def load_torchvision() -> None:
    """Import torchvision. Where its compiled operations are for another build of torch, import it
    without them: its models need none."""
    try:
        import_module("torchvision")
    except RuntimeError as e:
        if "torchvision::" not in str(e):
            raise
        for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        without = "torchvision._meta_registrations"
        sys.modules[without] = types.ModuleType(without)
        import_module("torchvision")


def _find(spec: str) -> Definition:
    load_torchvision()
    from torchvision import models

    name = spec.removeprefix(_PREFIX)
    if name not in models.list_models():
        known = suggestion(name, models.list_models())
        raise SourceError(f"unknown model {name!r} in torchvision{known}")
    takes = inspect.signature(models.get_model_builder(name)).parameters
    plain = {k: v for k, v in (("weights_backbone", None), ("init_weights", False)) if k in takes}

    def build(**arguments: Any) -> nn.Module:
        if wanted := next((k for k in _WEIGHTS if arguments.get(k)), ""):
            raise SourceError(f"{wanted} would be downloaded; costlab counts without weights")
        return models.get_model(name, weights=None, **{**plain, **arguments})

    return Definition(build, lambda model: _inputs(name, model))


def _inputs(name: str, model: nn.Module) -> Inputs:
    from torchvision import models

    size = _size(name, model)
    size = size if is_list_or_tuple(size) else (size, size)
    if name in models.list_models(module=models.video):
        return parse([f"1x3x16x{shape_text(size)}"])
    if name in models.list_models(module=models.optical_flow):
        return parse(["1x3x360x640"] * 2)
    return parse([f"1x3x{shape_text(size)}"])


def _size(name: str, model: nn.Module) -> Any:
    """The side of the input, or (height, width): of the model, otherwise of its weights' preset."""
    from torchvision import models

    own = getattr(model, "image_size", None) or _detection_size(model)
    weights = next(iter(models.get_model_weights(name)), None)
    preset: dict[str, Any] = getattr(weights.transforms, "keywords", {}) if weights else {}
    return own or preset.get("crop_size") or preset.get("resize_size") or 224


def _detection_size(model: nn.Module) -> tuple[int, int] | None:
    """(height, width) that a detector resizes every image to, where that is one size: SSD's."""
    fixed = getattr(getattr(model, "transform", None), "fixed_size", None)
    return (fixed[1], fixed[0]) if fixed else None


SOURCE = Source("torchvision:NAME", lambda spec: spec.startswith(_PREFIX), _find, "torchvision")
