"""transformers' models from a configuration, never a download: a config class, or a config.json."""

from __future__ import annotations

import inspect
import json
import os
from importlib.util import find_spec

from ._inputs import parse, shape_text
from ._model import Definition, Inputs, Source, SourceError, suggestion
from .torchvision import load_torchvision

_PREFIX = "transformers:"


def _find(spec: str) -> Definition:
    if find_spec("torchvision"):
        load_torchvision()
    import transformers

    name = spec.removeprefix(_PREFIX)
    if name.endswith(".json") or os.path.exists(name):
        values, config_class = _from_file(transformers, name)
    else:
        values, config_class = {}, _config_class(transformers, name)

    def build(**arguments):
        config = (
            config_class.from_dict({**values, **arguments}) if values else config_class(**arguments)
        )
        config.use_cache = False
        return _model(transformers, config, values.get("architectures") or [])

    return Definition(
        build,
        _inputs,
        lambda model: f"{type(model).__name__} of transformers {transformers.__version__}",
        version=lambda: f"transformers {transformers.__version__} {json.dumps(values)}",
    )


def _from_file(transformers, path: str):
    try:
        with open(path, encoding="utf-8") as f:
            values = json.load(f)
        return values, transformers.CONFIG_MAPPING[values["model_type"]]
    except OSError as e:
        raise SourceError(f"cannot read {path}: {e.strerror}") from None
    except KeyError as e:
        version = transformers.__version__
        raise SourceError(
            f"{path} names no model that transformers {version} knows: no {e}"
        ) from None
    except (ValueError, TypeError):
        raise SourceError(f"{path} is not a transformers config.json") from None


def _config_class(transformers, name: str):
    found = getattr(transformers, name, None)
    if isinstance(found, type) and issubclass(found, transformers.PretrainedConfig):
        return found
    known = suggestion(name, [n for n in dir(transformers) if n.endswith("Config")])
    raise SourceError(
        f"unknown model {name!r} in transformers"
        f"{known or '; give a config class such as LlamaConfig, or a config.json'}"
    )


def _model(transformers, config, architectures):
    for name in architectures:
        if hasattr(transformers, name):
            return getattr(transformers, name)(config)
    return _auto_class(transformers, config).from_config(config)


def _auto_class(transformers, config):
    """The class that a bare configuration means: with its head for what generates, without one for
    encoders."""
    if getattr(config, "is_encoder_decoder", False):
        kinds = ("AutoModelForSeq2SeqLM", "AutoModelForSpeechSeq2Seq")
    elif type(config) in transformers.AutoModelForMaskedLM._model_mapping:
        kinds = ()
    else:
        kinds = ("AutoModelForCausalLM",)
    autos = [getattr(transformers, kind) for kind in kinds]
    return next((a for a in autos if type(config) in a._model_mapping), transformers.AutoModel)


def _inputs(model) -> Inputs:
    config, found = model.config, []
    accepted = inspect.signature(model.forward).parameters
    vision = getattr(config, "vision_config", config)
    if "pixel_values" in accepted:
        size = getattr(vision, "image_size", None) or 224
        size = size if isinstance(size, (list, tuple)) else (size, size)
        found.append(f"pixel_values=1x{getattr(vision, 'num_channels', 3)}x{shape_text(size)}")
    if "input_features" in accepted and hasattr(config, "num_mel_bins"):
        frames = 2 * getattr(config, "max_source_positions", 1500)
        found.append(f"input_features=1x{config.num_mel_bins}x{frames}")
    text = getattr(config, "text_config", config)
    longest = getattr(text, "max_position_embeddings", None) or 128
    tokens = min(128, longest) if longest > 0 else 128
    if "input_ids" in accepted:
        found.append(f"input_ids=1x{tokens}:int64")
    if config.is_encoder_decoder and "decoder_input_ids" in accepted:
        found.append(f"decoder_input_ids=1x{tokens}:int64")
    return parse(found)


SOURCE = Source(
    "transformers:CONFIG-CLASS-OR-JSON",
    lambda spec: spec.startswith(_PREFIX),
    _find,
    "transformers",
)
