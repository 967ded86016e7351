"""How a network is initialized and fed before its gradients are looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ...trace.modules import modules_by_path

STD = 0.01  # of all weights, in the prototxt that Wang et al. released


@dataclass(frozen=True)
class Setting:
    """One way to set up a network for the probe.

    `name` is what tables and charts call it. `change` replaces layers of a built network in place,
    `initialize(model, seed)` sets its weights, each from a seed of its module's name. With
    `unit_inputs`, pixels are divided by their standard deviation; otherwise they are in the range
    of 0 to 255, less the mean image."""

    name: str
    initialize: Callable[[nn.Module, int], None]
    change: Callable[[nn.Module], None] = lambda model: None
    unit_inputs: bool = False


def seed_of(seed: int, *words: object) -> int:
    """A seed for what these words name: the same in every network, and on every machine."""
    text = ":".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def _layers(model: nn.Module) -> Iterator[tuple[str, nn.Conv2d | nn.Linear]]:
    for name, module in modules_by_path(model):
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            yield name, module


def _draw(weight: Tensor, std: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        weight.normal_(0, std, generator=generator)


def gaussian(model: nn.Module, seed: int, *, biases: bool = True) -> None:
    """The initialization of Wang et al.'s released prototxt: weights gaussian, std 0.01, in all
    layers; biases 0.5 in the first convolution, 0.1 in the others, 1 in hidden linear layers, and 0
    in classifiers. Without `biases` they are all 0."""
    layers = list(_layers(model))
    convs = [m for _, m in layers if isinstance(m, nn.Conv2d)]
    classes = {m.out_features for _, m in layers[-1:] if isinstance(m, nn.Linear)}
    for name, module in layers:
        _draw(module.weight, STD, seed_of(seed, name))
        if module.bias is None:
            continue
        if isinstance(module, nn.Conv2d):
            value = 0.5 if module is convs[0] else 0.1
        else:
            value = 0.0 if module.out_features in classes else 1.0
        nn.init.constant_(module.bias, value if biases else 0.0)


def own(model: nn.Module, seed: int) -> None:
    """What the modules do themselves (`reset_parameters`), each from a seed of its name."""
    for name, module in modules_by_path(model):
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            torch.manual_seed(seed_of(seed, name))  # pyright: ignore[reportUnknownMemberType] no types
            reset()


def he(model: nn.Module, seed: int) -> None:
    """He et al. 2015 (arXiv 1502.01852, equation 10): gaussian, variance 2 over the inputs of a
    unit, so that a ReLU passes the variance on; biases 0."""
    for name, module in _layers(model):
        inputs = module.weight[0].numel()
        _draw(module.weight, (2 / inputs) ** 0.5, seed_of(seed, name))
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _replace_relus(model: nn.Module, make: Callable[[int], nn.Module]) -> None:
    """Put `make(channels)` in the place of each ReLU; `channels` are those of the convolution right
    before it, 0 where there is none."""
    for parent in list(model.modules()):
        channels = 0
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.ReLU):
                parent.add_module(name, make(channels))
            channels = child.out_channels if isinstance(child, nn.Conv2d) else 0


def _norm_first(channels: int) -> nn.Module:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU()) if channels else nn.ReLU()


def _one_more(channels: int) -> nn.Module:
    if not channels:
        return nn.ReLU()
    return nn.Sequential(nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU())


def _sigmoids(channels: int) -> nn.Module:
    return nn.Sigmoid()


RELEASED = Setting("as released", gaussian)
OWN = Setting("its own initialization", own)
SETTINGS = {
    "released": RELEASED,
    "sigmoid": Setting("sigmoids", gaussian, partial(_replace_relus, make=_sigmoids)),
    "no-biases": Setting("biases of 0", partial(gaussian, biases=False)),
    "deeper": Setting("twice as deep", gaussian, partial(_replace_relus, make=_one_more)),
    "batch-norm": Setting("batch norm", gaussian, partial(_replace_relus, make=_norm_first)),
    "he": Setting("He initialization", he, unit_inputs=True),
}
