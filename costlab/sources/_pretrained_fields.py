"""What a built model of transformers says of itself: its configuration and its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, cast

from torch import nn

_TOKENS = 128  # of text


def accepted(model: nn.Module) -> Mapping[str, inspect.Parameter]:
    """The parameters of a model's `forward`."""
    return inspect.signature(model.forward).parameters


def config_of(model: nn.Module) -> Any:
    """The configuration that a model was built from."""
    return model.config


def part(model: nn.Module, name: str) -> Any:
    """The configuration of a part, such as "vision"; that of the model where it has no parts. What
    is no text is what an encoder reads, where there is one."""
    config = config_of(model)
    own = getattr(config, f"{name}_config", None)
    encoder = None if name == "text" else getattr(config, "encoder_config", None)
    return own or encoder or config


def first(config: Any, *names: str) -> Any:
    """The first of these fields that a configuration has and that is not None or 0."""
    return next((value for name in names if (value := getattr(config, name, None))), None)


def pair(size: Any) -> tuple[int, int]:
    """Height and width of one number, or of two."""
    if not isinstance(size, (list, tuple)):
        return size, size
    height, width = cast("Sequence[int]", size)
    return height, width


def text_tokens(model: nn.Module) -> int:
    """How many tokens of text a model is given."""
    longest = first(part(model, "text"), "max_position_embeddings") or _TOKENS
    return min(_TOKENS, longest) if longest > 0 else _TOKENS
