"""Inputs of transformers' models whose sizes follow from others: as many tokens stand for an image
or a recording as the model makes features of it, and masks are as long as spectrograms."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ._pretrained_fields import accepted, config_of, first, pair, part, text_tokens

PATCHES = 16  # patches a side of an image whose size is free; a multiple of what is merged
_TYPES = ("token_type_ids", "mm_token_type_ids")  # 1 where a token stands for an image
_FRAME_MASKS = ("input_features_mask", "feature_attention_mask")


@dataclass(frozen=True)
class _Modality:
    """What some tokens stand for: its name in the configuration, the input that it comes in, and
    the method that makes features of it."""

    name: str
    given: str
    method: str


_IMAGE = _Modality("image", "pixel_values", "get_image_features")
_AUDIO = _Modality("audio", "input_features", "get_audio_features")


def tokens(model: nn.Module, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`input_ids`: those that stand for an image or a recording, where the model puts some among
    them, then text; and which are which, for models that tell them apart so."""
    if "input_ids" not in accepted(model):
        return {}
    standing: list[int] = []
    for modality in (_IMAGE, _AUDIO):
        token = _token(model, modality)
        if token is not None and modality.given in given:
            standing += [token] * _places(model, modality, given)
    text = next(i for i in range(len(standing) + 1) if i not in standing)
    ids = torch.tensor([[*standing, *[text] * text_tokens(model)]])
    image = _token(model, _IMAGE)
    names = [] if image is None else [name for name in _TYPES if name in accepted(model)]
    return {"input_ids": ids, **{name: (ids == image).long() for name in names}}


def masks(model: nn.Module, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of a spectrogram: no padding. (N, frames), as processors give them."""
    features, taken = given.get("input_features"), accepted(model)
    if features is None or features.dim() != 3:
        return {}
    frames_first = features.shape[1] > features.shape[2]
    names = [name for name in _FRAME_MASKS if name in taken]
    if not names and frames_first and "input_ids" not in taken and "attention_mask" in taken:
        names = ["attention_mask"]
    frames = features.shape[1 if frames_first else 2]
    return {name: torch.ones(1, frames, dtype=torch.int64) for name in names}


def _token(model: nn.Module, modality: _Modality) -> int | None:
    """The token that stands for a feature; None for a model that does not take them."""
    config = config_of(model)
    names = (f"{modality.name}_token_id", f"{modality.name}_token_index")
    found = (getattr(config, name, None) for name in names)
    token = next((token for token in found if token is not None), None)
    return token if modality.given in accepted(model) else None


def _places(model: nn.Module, modality: _Modality, given: Mapping[str, Tensor]) -> int:
    """How many tokens stand for it: the features that the model makes, or, of an image where it
    does not run on `meta`, those that its configuration promises."""
    rows = _rows(model, modality, {**given, **masks(model, given)})
    return (_promised(model) if modality is _IMAGE else 0) if rows is None else rows


def _rows(model: nn.Module, modality: _Modality, given: Mapping[str, Tensor]) -> int | None:
    """Features, by running that part of the model without values; None where it cannot."""
    from ..trace import TraceError, trace

    parts = (model, getattr(model, "model", None))
    method = next(filter(callable, (getattr(p, modality.method, None) for p in parts)), None)
    if method is None:
        return None
    taken = inspect.signature(method).parameters
    rows: list[int] = []
    kwargs = {name: t for name, t in given.items() if name in taken}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trace(_Features(model, method, rows), (), kwargs, device="meta")
    except TraceError:
        return None
    return sum(rows) or None


class _Features(nn.Module):
    """The features that `method` of a model makes; how many goes to `rows`, a list, because a
    traced module is left as it was."""

    def __init__(self, model: nn.Module, method: Any, rows: list[int]):
        super().__init__()
        self.model = model
        self.method, self.count = method, rows.extend

    def forward(self, **kwargs: Any) -> Any:
        out = self.method(**kwargs)
        made = getattr(out, "pooler_output", None)
        made = out if made is None else made
        made = (made,) if isinstance(made, Tensor) else tuple(made)
        tensors = [t for t in made if isinstance(t, Tensor)]
        self.count([t.numel() // t.shape[-1] for t in tensors if t.dim() and t.shape[-1]])
        return made


def _promised(model: nn.Module) -> int:
    """The merged patches of a grid, the tokens that a projector pools to, or the patches of a
    vision transformer and, where all its features are taken, its class token."""
    config, vision = config_of(model), part(model, "vision")
    if "image_grid_thw" in accepted(model):
        return (PATCHES // (first(vision, "spatial_merge_size") or 1)) ** 2
    if pooled := first(config, "mm_tokens_per_image"):
        return pooled
    size, patch = first(vision, "image_size"), first(vision, "patch_size")
    if not size or not patch:
        return first(config, "image_seq_length") or 0
    sides = zip(pair(size), pair(patch), strict=True)
    patches = math.prod(side // step for side, step in sides)
    return patches + (first(config, "vision_feature_select_strategy") == "full")
