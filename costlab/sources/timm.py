"""timm's models, without weights, on the input that the built model takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from ._inputs import parse, shape_text
from .._spelling import suggestion
from ._model import Definition, Source, SourceError
from .torchvision import load_torchvision

if TYPE_CHECKING:
    from torch import nn

_PREFIX = "timm:"


def _find(spec: str) -> Definition:
    load_torchvision()
    import timm

    name = spec.removeprefix(_PREFIX)
    if not timm.is_model(name):
        raise SourceError(f"unknown model {name!r} in timm{suggestion(name, timm.list_models())}")

    channels: list[int] = []

    def build(**arguments: Any) -> nn.Module:
        channels[:] = [arguments["in_chans"]] if "in_chans" in arguments else []
        return timm.create_model(name, pretrained=False, **arguments)

    return Definition(build, lambda model: parse([shape_text((1, *_input_size(model, *channels)))]))


def _input_size(model: Any, channels: int | None = None) -> tuple[int, ...]:
    """Channels, height and width: `channels` and the size of the patch embedding where the
    arguments changed them, otherwise those of the weights' configuration. The channels of the first
    convolution may be others: TResNet's are 4x4 pixels each."""
    usual, *usual_size = model.pretrained_cfg["input_size"]
    embedding = getattr(model, "patch_embed", None)
    own: Any = getattr(embedding, "img_size", None) or getattr(model, "img_size", None)
    size: Any = own or usual_size
    sides = cast("Sequence[int]", size) if isinstance(size, (tuple, list)) else (size, size)
    return (channels or usual, *sides)


SOURCE = Source("timm:NAME", lambda spec: spec.startswith(_PREFIX), _find, "timm")
