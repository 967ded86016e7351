"""timm's models, without weights, on the input that the built model takes."""

from __future__ import annotations

from ._inputs import parse, shape_text
from ._model import Definition, Source, SourceError, suggestion
from .torchvision import load_torchvision

_PREFIX = "timm:"


def _find(spec: str) -> Definition:
    load_torchvision()
    import timm

    name = spec.removeprefix(_PREFIX)
    if not timm.is_model(name):
        raise SourceError(f"unknown model {name!r} in timm{suggestion(name, timm.list_models())}")

    def build(**arguments):
        return timm.create_model(name, pretrained=False, **arguments)

    return Definition(build, lambda model: parse([shape_text((1, *_input_size(model)))]))


def _input_size(model) -> tuple[int, ...]:
    """Channels, height and width."""
    return tuple(model.pretrained_cfg["input_size"])


SOURCE = Source("timm:NAME", lambda spec: spec.startswith(_PREFIX), _find, "timm")
