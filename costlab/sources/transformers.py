"""transformers' models from a configuration, never a download: a config class, a config.json, or
the folder that holds one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .. import _documents
from .._text import brief
from .._narrow import is_list, json_object
from .._spelling import suggestion
from ._model import Definition, Inputs, Source, SourceError
from .torchvision import load_torchvision

if TYPE_CHECKING:
    from torch import nn
    from transformers import AutoModel, PretrainedConfig

_PREFIX = "transformers:"
_WRONG = "not a transformers config.json"


def _find(spec: str) -> Definition:
    name = spec.removeprefix(_PREFIX)
    if os.path.isdir(name):
        name = os.path.join(name, "config.json")
    values = _from_file(name) if name.endswith(".json") or os.path.exists(name) else {}
    if find_spec("torchvision"):
        load_torchvision()
    import transformers

    config_class = _class_of_file(name, values) if values else _config_class(name)

    def build(**arguments: Any) -> nn.Module:
        if values:
            config = config_class.from_dict({**values, **arguments})
        else:
            config = config_class(**arguments)
            if "vision_config" not in arguments and hasattr(config, "vision_config"):
                _fit_vision(config)
        config.use_cache = False
        return _model(config, values.get("architectures") or [])

    return Definition(
        build,
        lambda model: _inputs(model, name if values else ""),
        lambda model: f"{type(model).__name__} of transformers {transformers.__version__}",
        version=lambda: f"transformers {transformers.__version__} {json.dumps(values)}",
    )


def _fit_vision(config: Any) -> None:
    """Some configuration classes have defaults that no model runs on: their vision part does not
    fit the text part. Its fields become those of the released models."""
    if config.model_type == "gemma3":  # 256 tokens cannot be pooled from the default's 196
        config.vision_config.image_size, config.vision_config.patch_size = 896, 14
    elif config.model_type == "qwen2_vl":
        config.vision_config.hidden_size = config.text_config.hidden_size
    elif hasattr(config.vision_config, "out_hidden_size"):
        config.vision_config.out_hidden_size = config.text_config.hidden_size


def _from_file(path: str) -> dict[str, Any]:
    """The fields of a config.json. Raises SourceError for a file that is none, and for one whose
    model is not in the file: its code or a part of it would have to be downloaded."""
    text = _documents.read_text(path, SourceError)
    values = json_object(_documents.json_value(path, text, SourceError, _WRONG))
    if not values:
        raise SourceError(f"{path} is {_WRONG}")
    if wanted := _from_the_hub(values):
        raise SourceError(f"{path} needs {wanted}, and costlab downloads nothing")
    return values


def _from_the_hub(values: dict[str, Any]) -> str:
    """What a configuration, or one inside it, would have downloaded: "" for nothing."""
    if values.get("auto_map"):
        return "code from the hub (auto_map)"
    for key in ("attn_implementation", "_attn_implementation"):
        if "/" in str(values.get(key)):
            return f"a kernel from the hub ({brief(values[key])})"
    backbone = values.get("backbone")
    if values.get("use_pretrained_backbone"):
        return f"the weights of a pretrained backbone{f' ({brief(backbone)})' if backbone else ''}"
    if isinstance(backbone, str) and "/" in backbone:
        return f"the configuration of its backbone from the hub ({brief(backbone)})"
    inside = (_from_the_hub(v) for v in _objects_in(values.values()))
    return next(filter(None, inside), "")


def _objects_in(values: Iterable[object]) -> Iterator[dict[str, Any]]:
    """The objects among values, and those in lists among them."""
    for value in values:
        if found := json_object(value):
            yield found
        elif is_list(value):
            yield from _objects_in(value)


def _class_of_file(path: str, values: dict[str, Any]) -> type[PretrainedConfig]:
    import transformers

    kind = values.get("model_type")
    if not isinstance(kind, str) or kind not in transformers.CONFIG_MAPPING:
        raise SourceError(
            f"{path} names no model that transformers {transformers.__version__} knows: no "
            f"{'model_type' if kind is None else brief(kind)}"
        )
    return transformers.CONFIG_MAPPING[kind]


def _config_class(name: str) -> type[PretrainedConfig]:
    import transformers

    found: object = getattr(transformers, name, None)
    if isinstance(found, type) and issubclass(found, transformers.PretrainedConfig):
        return found
    known = suggestion(name, [n for n in dir(transformers) if n.endswith("Config")])
    raise SourceError(
        f"unknown model {name!r} in transformers"
        f"{known or '; give a config class such as LlamaConfig, or a config.json'}"
    )


def _model(config: PretrainedConfig, architectures: object) -> nn.Module:
    import transformers

    for name in architectures if is_list(architectures) else ():
        found = getattr(transformers, name, None) if isinstance(name, str) else None
        if isinstance(found, type) and issubclass(found, transformers.PreTrainedModel):
            return found(config)
    auto = _auto_class(config)
    if type(config) in auto._model_mapping:
        return auto.from_config(config)
    return _class_of_part(config)(config)


def _class_of_part(config: PretrainedConfig) -> Any:
    """The class of a configuration that no Auto class lists, such as one tower of two or a model
    for one task: of those that are of this configuration, the one that is named like it. Raises
    SourceError where there is none."""
    kind = type(config)
    stem = kind.__name__.removesuffix("Config")
    modeling = kind.__module__.replace(".configuration_", ".modeling_")
    known = vars(import_module(modeling)) if find_spec(modeling) else {}
    found = {
        name: value
        for name, value in known.items()
        if isinstance(value, type)
        and getattr(value, "config_class", None) is kind
        and not name.endswith("PreTrainedModel")
    }
    alike = sorted((name for name in found if name.startswith(stem)), key=len)
    name = next((name for name in (f"{stem}Model", stem, *alike) if name in found), None)
    if name is None:
        raise SourceError(
            f"{kind.__name__} configures a part that has no model of its own in transformers; "
            "name the configuration that contains it"
        )
    return found[name]


def _auto_class(config: PretrainedConfig) -> type[AutoModel]:
    """The class that a bare configuration means: with its head for what generates, without one for
    encoders."""
    import transformers

    if getattr(config, "is_encoder_decoder", False):
        kinds = ("AutoModelForSeq2SeqLM", "AutoModelForSpeechSeq2Seq")
    elif type(config) in transformers.AutoModelForMaskedLM._model_mapping:
        kinds = ()
    else:
        kinds = ("AutoModelForCausalLM",)
    autos: list[type[AutoModel]] = [getattr(transformers, kind) for kind in kinds]
    return next((a for a in autos if type(config) in a._model_mapping), transformers.AutoModel)


def _inputs(model: nn.Module, file: str) -> Inputs:
    """`file`: the config.json that the model is of, "" for a class."""
    from ._pretrained_inputs import default_inputs
    from ._pretrained_processor import image_size

    return default_inputs(model, image_size(file) if file else None)


SOURCE = Source(
    "transformers:CONFIG-CLASS-OR-JSON",
    lambda spec: spec.startswith(_PREFIX),
    _find,
    "transformers",
)
