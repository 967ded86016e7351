"""Default inputs of transformers' models: one builder for each parameter of `forward`, others where
the parameters beside it say that it has another form, and for the families that need more than
that, one for each `model_type`.

A builder takes a built model and gives a tensor, or None where the configuration does not say its
shape. All inputs are of one sequence, image, clip or recording. Then come the tokens and masks
whose sizes follow from these: as many tokens stand for an image as the model makes features of
it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ._model import Inputs
from ._pretrained_fields import accepted, config_of, first, pair, part, text_tokens
from ._pretrained_tokens import PATCHES, masks, tokens

_SECOND = 16_000  # samples of a recording at 16 kHz
_FRAMES = 1_000  # of a spectrogram: 10 s in steps of 10 ms

Builder = Callable[[nn.Module], Tensor | None]


def default_inputs(model: nn.Module, size: tuple[int, int] | None = None) -> Inputs:
    """Keyword inputs that a model of transformers runs on, from its configuration; empty where that
    does not say them. `size`: height and width of an image, where a processor says them."""
    given = {name: _built(build, model) for name, build in _builders(model).items()}
    given = {name: t for name, t in given.items() if t is not None}
    pixels = given.get("pixel_values")
    if size is not None and pixels is not None and pixels.dim() >= 4:
        given["pixel_values"] = _floats(*pixels.shape[:-2], *size)
    return Inputs(kwargs={**given, **tokens(model, given), **masks(model, given)})


def _builders(model: nn.Module) -> dict[str, Builder]:
    """The builders of a model's parameters, the most special one of each."""
    taken, found = accepted(model), dict(_BUILDERS)
    for parameter, builders in _BESIDE.items():
        if parameter in taken:
            found.update(builders)
    found.update(_FAMILIES.get(config_of(model).model_type, {}))
    return {name: build for name, build in found.items() if name in taken}


def _built(build: Builder, model: nn.Module) -> Tensor | None:
    try:
        return build(model)
    except (AttributeError, TypeError, ArithmeticError):
        return None  # the configuration has other fields, or gives them otherwise


def _floats(*shape: int) -> Tensor:
    return torch.zeros(shape, device="meta")


def _pixel_values(model: nn.Module) -> Tensor:
    """(N, C, H, W) of an image, (N, frames, C, H, W) of a clip."""
    vision = part(model, "vision")
    image = (first(vision, "num_channels") or 3, *pair(first(vision, "image_size") or 224))
    frames = first(vision, "num_frames")
    return _floats(1, frames, *image) if frames else _floats(1, *image)


def _several_images(model: nn.Module) -> Tensor:
    """(N, images, C, H, W): the parts that an image is cut into, here one."""
    return _pixel_values(model).unsqueeze(1)


def _pixel_values_videos(model: nn.Module) -> Tensor | None:
    """(N, frames, C, H, W), for a model that takes nothing but clips."""
    vision = part(model, "vision")
    frames, size = first(vision, "frames_per_clip"), first(vision, "crop_size")
    if "pixel_values" not in accepted(model):
        frames = frames or first(vision, "num_frames")
        size = size or first(vision, "image_size")
    if not frames or not size:
        return None
    return _floats(1, frames, first(vision, "in_chans", "num_channels") or 3, *pair(size))


def _input_values(model: nn.Module) -> Tensor | None:
    """(N, samples) of one second of sound, (N, channels, samples) for a codec, or (N, frames, bins)
    of a spectrogram. None beside text, which these models read alone."""
    config = config_of(model)
    if "input_ids" in accepted(model):
        return None
    bins, frames = first(config, "num_mel_bins"), first(config, "max_length")
    if bins and frames and not first(config, "conv_stride"):
        return _floats(1, frames, bins)
    rate = first(config, "sampling_rate")
    return _floats(1, first(config, "audio_channels") or 1, rate) if rate else _floats(1, _SECOND)


def _input_features(model: nn.Module) -> Tensor | None:
    """A spectrogram: (N, bins, frames) where the encoder is of a fixed length, otherwise (N,
    frames, bins)."""
    audio = part(model, "audio")
    bins, longest = first(audio, "num_mel_bins"), first(audio, "max_source_positions")
    if bins and longest:
        return _floats(1, bins, 2 * longest)
    if bins and _bins_are_channels(model, bins):
        return _floats(1, bins, _FRAMES)
    if bins and (window := first(audio, "n_window")):  # Qwen's encoders take whole windows of two
        return _floats(1, bins, -(-_FRAMES // (2 * window)) * 2 * window)
    bins = first(audio, "input_feat_per_channel", "feature_projection_input_dim") or bins
    return _floats(1, _FRAMES, bins) if bins else None


def _spectrogram(model: nn.Module) -> Tensor | None:
    """(N, frames, bins) for a vocoder (Kong et al. 2020, HiFi-GAN)."""
    bins = first(config_of(model), "model_in_dim")
    return _floats(1, _FRAMES, bins) if bins else None


def _bins_are_channels(model: nn.Module, bins: int) -> bool:
    """Whether the encoder convolves over time with the bins as channels."""
    return any(isinstance(m, nn.Conv1d) and m.in_channels == bins for m in model.modules())


def _square_spectrogram(model: nn.Module) -> Tensor:
    """CLAP's (N, 1, frames, bins): the frames that its encoder folds into a square (Chen et al.
    2022, HTS-AT, section 2.1)."""
    audio = part(model, "audio")
    return _floats(1, 1, audio.spec_size**2 // audio.num_mel_bins, audio.num_mel_bins)


def _attention_mask(model: nn.Module) -> Tensor:
    """(N, tokens): no padding. Without it the model looks for padding among its tokens."""
    return torch.ones(1, text_tokens(model), dtype=torch.int64)


def _decoder_input_ids(model: nn.Module) -> Tensor | None:
    if not getattr(config_of(model), "is_encoder_decoder", False):
        return None
    return torch.zeros(1, text_tokens(model), dtype=torch.int64)


def _patches(model: nn.Module) -> Tensor:
    """(patches, values of a patch) of an image of a free size: Qwen2-VL (Wang et al. 2024, section
    2.1) takes its patches in a row, each repeated in time."""
    vision = part(model, "vision")
    channels = first(vision, "in_channels", "in_chans", "num_channels") or 3
    frames = first(vision, "temporal_patch_size") or 1
    return _floats(PATCHES**2, channels * frames * vision.patch_size**2)


def _merged(model: nn.Module) -> Tensor:
    """(images,): how many patches a side are merged; VideoLlama3 (Zhang et al. 2025, section 3.1)
    merges those of clips alone."""
    return torch.tensor([1])


def _high_resolution(model: nn.Module) -> Tensor | None:
    """(N, C, H, W) for the second of two vision encoders."""
    vision = getattr(config_of(model), "high_res_vision_config", None)
    return vision and _floats(1, vision.num_channels, *pair(vision.image_size))


def _tiles(model: nn.Module) -> Tensor:
    """(N, tiles, C, H, W) where an image is cut into tiles, of which the first shows all of it (Liu
    et al. 2024, LLaVA-NeXT); (N, C, H, W) otherwise."""
    pixels, shapes = _pixel_values(model), first(config_of(model), "image_grid_pinpoints")
    if not shapes:
        return pixels
    (height, width), sides = shapes[0], pixels.shape[-2:]
    tiles = 1 + (height // sides[0]) * (width // sides[1])
    return _floats(1, tiles, *pixels.shape[1:])


def _image_sizes(model: nn.Module) -> Tensor | None:
    """(images, 2): height and width of each image before it is padded or cut into tiles; None where
    the vision encoder has no use for them, as LLaVA's with CLIP."""
    shapes = first(config_of(model), "image_grid_pinpoints")
    if not shapes and not any(map(_sees_sizes, model.modules())):
        return None
    return torch.tensor([shapes[0] if shapes else _pixel_values(model).shape[-2:]])


def _sees_sizes(module: nn.Module) -> bool:
    """Whether a module is a vision encoder that takes the sizes of its images."""
    takes = accepted(module)
    return "image_sizes" in takes and "input_ids" not in takes


def _question(model: nn.Module) -> Tensor:
    """(N, tokens): the text that the second encoder reads beside the image."""
    return torch.zeros(1, text_tokens(model), dtype=torch.int64)


def _boxes(model: nn.Module) -> Tensor:
    """(N, tokens, 4): where each token of a document is."""
    return torch.zeros(1, text_tokens(model), 4, dtype=torch.int64)


def _grid(model: nn.Module) -> Tensor:
    """(images, 3): the patches of each image in time, height and width."""
    return torch.tensor([[1, PATCHES, PATCHES]])


_BUILDERS: dict[str, Builder] = {
    "pixel_values": _pixel_values,
    "pixel_values_videos": _pixel_values_videos,
    "high_res_pixel_values": _high_resolution,
    "bbox": _boxes,
    "qformer_input_ids": _question,
    "input_values": _input_values,
    "input_features": _input_features,
    "spectrogram": _spectrogram,
    "decoder_input_ids": _decoder_input_ids,
}
# a parameter, and what those beside it are then
_BESIDE: dict[str, dict[str, Builder]] = {
    "image_sizes": {"pixel_values": _tiles, "image_sizes": _image_sizes},
    "pixel_attention_mask": {"pixel_values": _several_images},
    "image_grid_thw": {
        "pixel_values": _patches,
        "pixel_values_videos": lambda model: None,
        "image_grid_thw": _grid,
        "image_merge_sizes": _merged,
    },
    "grid_thw": {
        "merge_sizes": _merged,
        "hidden_states": _patches,
        "pixel_values": _patches,
        "grid_thw": _grid,
    },
}
# what a family takes that its parameters' names do not say, by `model_type`
_FAMILIES: dict[str, dict[str, Builder]] = {
    "clap": {"input_features": _square_spectrogram, "attention_mask": _attention_mask},
    "clap_audio_model": {"input_features": _square_spectrogram},
}
