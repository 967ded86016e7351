"""Default inputs of transformers' models: one builder for each parameter of `forward`, and for the
families that need more than their parameters say, one for each `model_type`.

A builder takes a built model and gives a tensor, or None where the configuration does not say its
shape. All inputs are of one sequence, image, clip or recording."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ._model import Inputs

_TOKENS = 128  # of text
_SECOND = 16_000  # samples of a recording at 16 kHz
_FRAMES = 1_000  # of a spectrogram: 10 s in steps of 10 ms
_PATCHES = 16  # patches a side of an image whose size is free; a multiple of what is merged

Builder = Callable[[nn.Module], Tensor | None]


def default_inputs(model: nn.Module) -> Inputs:
    """Keyword inputs that a model of transformers runs on, from its configuration; empty where that
    does not say them."""
    accepted = inspect.signature(model.forward).parameters
    family = _FAMILIES.get(_config(model).model_type, {})
    builders = {name: build for name, build in {**_BUILDERS, **family}.items() if name in accepted}
    tensors = {name: build(model) for name, build in builders.items()}
    return Inputs(kwargs={name: t for name, t in tensors.items() if t is not None})


def _config(model: nn.Module) -> Any:
    return model.config


def _part(model: nn.Module, part: str) -> Any:
    """The configuration of a part, such as "vision"; that of the model where it has no parts."""
    config = _config(model)
    return getattr(config, f"{part}_config", None) or config


def _first(config: Any, *names: str) -> Any:
    """The first of these fields that a configuration has and that is not None or 0."""
    return next((value for name in names if (value := getattr(config, name, None))), None)


def _floats(*shape: int) -> Tensor:
    return torch.zeros(shape, device="meta")


def _pair(size: Any) -> tuple[int, int]:
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    return height, width


def _pixel_values(model: nn.Module) -> Tensor:
    """(N, C, H, W) of an image, (N, frames, C, H, W) of a clip."""
    vision = _part(model, "vision")
    image = (_first(vision, "num_channels") or 3, *_pair(_first(vision, "image_size") or 224))
    frames = _first(vision, "num_frames")
    return _floats(1, frames, *image) if frames else _floats(1, *image)


def _pixel_values_videos(model: nn.Module) -> Tensor | None:
    """(N, frames, C, H, W), for a model that takes nothing but clips."""
    vision = _part(model, "vision")
    frames, size = _first(vision, "frames_per_clip"), _first(vision, "crop_size")
    if not frames or not size:
        return None
    return _floats(1, frames, _first(vision, "in_chans", "num_channels") or 3, *_pair(size))


def _input_values(model: nn.Module) -> Tensor:
    """(N, samples) of one second of sound, (N, channels, samples) for a codec, or (N, frames, bins)
    of a spectrogram."""
    config = _config(model)
    bins, frames = _first(config, "num_mel_bins"), _first(config, "max_length")
    if bins and frames and not _first(config, "conv_stride"):
        return _floats(1, frames, bins)
    channels, rate = _first(config, "audio_channels"), _first(config, "sampling_rate")
    return _floats(1, channels, rate) if channels and rate else _floats(1, _SECOND)


def _input_features(model: nn.Module) -> Tensor | None:
    """A spectrogram: (N, bins, frames) where the encoder is of a fixed length, otherwise (N,
    frames, bins)."""
    audio = _part(model, "audio")
    if bins := _first(audio, "num_mel_bins"):
        return _floats(1, bins, 2 * (_first(audio, "max_source_positions") or 1500))
    bins = _first(audio, "input_feat_per_channel", "feature_projection_input_dim")
    return _floats(1, _FRAMES, bins) if bins else None


def _square_spectrogram(model: nn.Module) -> Tensor:
    """CLAP's (N, 1, frames, bins): the frames that its encoder folds into a square (Chen et al.
    2022, HTS-AT, section 2.1)."""
    audio = _part(model, "audio")
    return _floats(1, 1, audio.spec_size**2 // audio.num_mel_bins, audio.num_mel_bins)


def _attention_mask(model: nn.Module) -> Tensor:
    """(N, tokens): no padding. Without it the model looks for padding among its tokens."""
    return torch.ones(1, _text_tokens(model), dtype=torch.int64)


def _text_tokens(model: nn.Module) -> int:
    longest = _first(_part(model, "text"), "max_position_embeddings") or _TOKENS
    return min(_TOKENS, longest) if longest > 0 else _TOKENS


def _decoder_input_ids(model: nn.Module) -> Tensor | None:
    if not getattr(_config(model), "is_encoder_decoder", False):
        return None
    return torch.zeros(1, _text_tokens(model), dtype=torch.int64)


def _input_ids(model: nn.Module) -> Tensor:
    """The tokens that stand for an image, where the model puts one among them, then text."""
    places, token = _image_tokens(model), _image_token(model)
    text = 1 if token == 0 else 0  # text is any token that is no image's
    ids = torch.full((1, places + _text_tokens(model)), text, dtype=torch.int64)
    if token is not None:
        ids[:, :places] = token
    return ids


def _types_of_tokens(model: nn.Module) -> Tensor:
    """1 where `input_ids` stand for an image, 0 for text."""
    return (_input_ids(model) == _image_token(model)).long()


def _token_types(model: nn.Module) -> Tensor | None:
    """For models that tell images from text by them; others have their own defaults."""
    return _types_of_tokens(model) if _image_token(model) is not None else None


def _image_token(model: nn.Module) -> int | None:
    config = _config(model)
    token = getattr(config, "image_token_id", None)
    token = getattr(config, "image_token_index", None) if token is None else token
    return token if "pixel_values" in inspect.signature(model.forward).parameters else None


def _image_tokens(model: nn.Module) -> int:
    """How many tokens stand for the image: the merged patches of a grid, the tokens that a
    projector pools to, or the patches of a vision transformer and, where all its features are
    taken, its class token."""
    config, vision = _config(model), _part(model, "vision")
    if _image_token(model) is None:
        return 0
    if "image_grid_thw" in inspect.signature(model.forward).parameters:
        return (_PATCHES // vision.spatial_merge_size) ** 2
    if pooled := _first(config, "mm_tokens_per_image"):
        return pooled
    size, patch = _first(vision, "image_size"), _first(vision, "patch_size")
    if not size or not patch:
        return _first(config, "image_seq_length") or 0
    patches = math.prod(side // patch for side in _pair(size))
    return patches + (_first(config, "vision_feature_select_strategy") == "full")


def _patches(model: nn.Module) -> Tensor:
    """(patches, values of a patch) of an image of a free size: Qwen2-VL (Wang et al. 2024, section
    2.1) takes its patches in a row, each repeated in time."""
    vision = _part(model, "vision")
    channels = _first(vision, "in_channels", "in_chans") or 3
    return _floats(_PATCHES**2, channels * vision.temporal_patch_size * vision.patch_size**2)


def _grid(model: nn.Module) -> Tensor:
    """(images, 3): the patches of each image in time, height and width."""
    return torch.tensor([[1, _PATCHES, _PATCHES]])


_BUILDERS: dict[str, Builder] = {
    "pixel_values": _pixel_values,
    "pixel_values_videos": _pixel_values_videos,
    "input_values": _input_values,
    "input_features": _input_features,
    "input_ids": _input_ids,
    "decoder_input_ids": _decoder_input_ids,
}
_GRID: dict[str, Builder] = {
    "pixel_values": _patches,
    "pixel_values_videos": lambda model: None,
    "image_grid_thw": _grid,
    "mm_token_type_ids": _types_of_tokens,
}
# what a family takes that its parameters' names do not say, by `model_type`
_FAMILIES: dict[str, dict[str, Builder]] = {
    "clap": {"input_features": _square_spectrogram, "attention_mask": _attention_mask},
    "clap_audio_model": {"input_features": _square_spectrogram},
    "gemma3": {"token_type_ids": _token_types},
    "paligemma": {"token_type_ids": _token_types},
    "qwen2_vl": _GRID,
    "qwen2_5_vl": _GRID,
}
