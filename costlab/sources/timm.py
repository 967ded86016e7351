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
    """Channels, height and width: of the patch embedding, and of the first convolution where the
    arguments changed them, otherwise of the weights' configuration."""
    channels, *size = model.pretrained_cfg["input_size"]
    embedding = getattr(model, "patch_embed", None)
    size = getattr(embedding, "img_size", None) or getattr(model, "img_size", None) or size
    size = size if isinstance(size, (tuple, list)) else (size, size)
    return (_channels(model) or channels, *size)


def _channels(model) -> int | None:
    """Input channels of the layers that `pretrained_cfg` says come first."""
    names = model.pretrained_cfg.get("first_conv")
    name = names if isinstance(names, str) else next(iter(names or ()), None)
    layers = dict(model.named_modules())
    return getattr(layers.get(name or ""), "in_channels", None)


SOURCE = Source("timm:NAME", lambda spec: spec.startswith(_PREFIX), _find, "timm")
