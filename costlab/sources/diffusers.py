"""diffusers' networks from a configuration, never a download: a class, with `--arg`, or a
config.json."""

from __future__ import annotations

import inspect
import json
import os
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .._narrow import is_list_or_tuple, json_object
from ._inputs import parse
from .. import _documents
from .._spelling import suggestion
from ._model import Definition, Inputs, Source, SourceError
from .torchvision import load_torchvision

if TYPE_CHECKING:
    from torch import nn

_PREFIX = "diffusers:"
_WRONG = "not a diffusers config.json"
_TOKENS = 77  # of CLIP's text encoder, which most of these models are conditioned on


def _find(spec: str) -> Definition:
    if find_spec("torchvision"):
        load_torchvision()
    import diffusers

    name = spec.removeprefix(_PREFIX)
    values = _from_file(name) if name.endswith(".json") or os.path.isfile(name) else {}
    kind = values.get("_class_name", name)
    found: Any = getattr(diffusers, kind, None)
    if not _is_network(found):
        known = suggestion(kind, [n for n in dir(diffusers) if "Model" in n or "Auto" in n])
        raise SourceError(
            f"unknown model {kind!r} in diffusers"
            f"{known or '; give a class such as UNet2DConditionModel, or a config.json'}"
        )

    def build(**arguments: Any) -> nn.Module:
        return found.from_config({**values, **arguments}) if values else found(**arguments)

    return Definition(
        build,
        _inputs,
        lambda model: f"{type(model).__name__} of diffusers {version('diffusers')}",
        version=lambda: f"diffusers {version('diffusers')} {json.dumps(values)}",
    )


def _is_network(found: Any) -> bool:
    from diffusers.models.modeling_utils import ModelMixin

    return isinstance(found, type) and issubclass(found, ModelMixin)


def _from_file(path: str) -> dict[str, Any]:
    text = _documents.read_text(path, SourceError)
    values = json_object(_documents.json_value(path, text, SourceError, _WRONG))
    if values is None or not isinstance(values.get("_class_name"), str):
        raise SourceError(f"{path} is {_WRONG}: it names no _class_name")
    return values


def _inputs(model: Any) -> Inputs:
    """A latent or image of the size that the configuration states, a time step, and what
    conditions the model."""
    accepted, config = inspect.signature(model.forward).parameters, model.config
    size: Any = config.get("sample_size") or 64
    height, width = size if is_list_or_tuple(size) else (size, size)
    first = next(iter(accepted))
    found = [f"{first}=1x{config.get('in_channels', 3)}x{height}x{width}"]
    if "timestep" in accepted:
        found.append("timestep=1:int64=1")
    width_of_text = (
        config.get("cross_attention_dim")
        or config.get("joint_attention_dim")
        or config.get("caption_channels")
    )
    if "encoder_hidden_states" in accepted and isinstance(width_of_text, int):
        found.append(f"encoder_hidden_states=1x{_TOKENS}x{width_of_text}")
    if "pooled_projections" in accepted and config.get("pooled_projection_dim"):
        found.append(f"pooled_projections=1x{config['pooled_projection_dim']}")
    if "class_labels" in accepted and config.get("num_embeds_ada_norm"):
        found.append("class_labels=1:int64")
    return parse(found)


SOURCE = Source(
    "diffusers:CLASS-OR-JSON", lambda spec: spec.startswith(_PREFIX), _find, "diffusers"
)
