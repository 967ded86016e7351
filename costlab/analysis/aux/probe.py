"""The gradient-flow probe of Wang et al. (arXiv 1505.02496, Section 3): where a head belongs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

import torch
from torch import nn

from ... import zoo
from ..._result import Charted
from ..._spelling import choice
from ...tables import Column, Sheet
from . import notes
from .heads import require_heads
from .images import Batches, Images, digits
from .settings import OWN, SETTINGS, Setting
from .training import Gradients, Layer, Protocol, gradients

# a branch after the layer whose mean gradient falls below this
THRESHOLD = 1e-7
MOST_ITERATIONS, MOST_SEEDS = 1000, 100
# the authors' released prototxt: the branch reads conv3_2
HEAD_AFTER = {"cnds8": "conv3_2"}

Make = Callable[[], nn.Module]


@dataclass(frozen=True)
class Probe(Charted):
    """Mean |gradient| of the weights of each convolution in the first iterations of training.

    `setting`: how the network was initialized and fed. `with_heads` (None: not run) is the same
    network with its heads, from the same weights on the same images. `threshold` is the rule's, in
    the loss's units a weight. `head_after`: the layer after which the published network has its
    head ("": not known). `beside`: the same network in other settings."""

    model: str
    setting: str
    without: Gradients
    with_heads: Gradients | None
    protocol: Protocol
    threshold: float
    head_after: str = ""
    beside: tuple[Probe, ...] = ()

    chart_kind = "gradients"

    @property
    def place(self) -> Layer | None:
        """Where the rule puts a head: the first convolution, from the loss back to the input, whose
        mean gradient is under the threshold; None: nowhere."""
        return self.without.first_under(self.threshold)

    @property
    def agreeing(self) -> int:
        """The seeds in whose run the smallest mean gradient is at the same convolution as in the
        mean of all."""
        lowest, seeds = self.without.lowest, range(len(self.protocol.seeds))
        return sum(self.without.lowest_of(seed) is lowest for seed in seeds)

    def record(self, path: str | os.PathLike[str]) -> None:
        """Write all of it as JSON, with every curve; `costlab.probe(path)` reads it.

        Raises OSError where it cannot be written."""
        from .record import write_probe  # it reads probes too

        write_probe(self, path)

    @property
    def sheet(self) -> Sheet:
        """A row a convolution; where other settings are beside it, a row a setting."""
        return _settings(self) if self.beside else _convolutions(self)


def _convolutions(result: Probe) -> Sheet:
    helped = result.with_heads.layers if result.with_heads else ()
    by_name = {layer.name: layer for layer in helped}
    rows = tuple(
        _convolution(layer, by_name.get(layer.name), result.threshold)
        for layer in result.without.layers
    )
    return Sheet(
        f"{result.model}: gradient flow, {result.setting}", _LAYER_COLUMNS, rows, notes.flow(result)
    )


_LAYER_COLUMNS = (
    Column("convolution"),
    Column("mean |gradient|", "", format=".3e"),
    Column("lowest of the seeds", "", format=".3e"),
    Column("highest of the seeds", "", format=".3e"),
    Column("mean with heads", "", format=".3e"),
    Column("with / without heads", "x", format=".2f"),
    Column("under the threshold"),
)


def _convolution(layer: Layer, helped: Layer | None, threshold: float) -> dict[str, Any]:
    return {
        "convolution": layer.name,
        "mean |gradient|": layer.mean,
        "lowest of the seeds": min(layer.means),
        "highest of the seeds": max(layer.means),
        "mean with heads": helped.mean if helped else None,
        "with / without heads": helped.mean / layer.mean if helped and layer.mean else None,
        "under the threshold": "yes" if layer.mean < threshold else "",
    }


_SETTING_COLUMNS = (
    Column("setting"),
    Column("mean |gradient|, last convolution", "", format=".2e"),
    Column("first convolution", "", format=".2e"),
    Column("smallest", "", format=".2e"),
    Column("smallest at"),
    Column("seeds that agree on it"),
    Column("last / smallest", "x", format=".1f"),
    Column("head, by the rule"),
)


def _settings(result: Probe) -> Sheet:
    rows = tuple(map(_setting, (result, *result.beside)))
    return Sheet(
        f"{result.model}: gradient flow, setting by setting",
        _SETTING_COLUMNS,
        rows,
        notes.settings(result),
    )


def _setting(result: Probe) -> dict[str, Any]:
    found, place = result.without, result.place
    return {
        "setting": result.setting,
        "mean |gradient|, last convolution": found.last.mean,
        "first convolution": found.layers[0].mean,
        "smallest": found.lowest.mean,
        "smallest at": found.lowest.name,
        "seeds that agree on it": f"{result.agreeing} of {len(result.protocol.seeds)}",
        "last / smallest": found.fall,
        "head, by the rule": f"after {place.name}" if place else "none",
    }


def probe(
    make: Make,
    batches: Callable[[int], Batches],
    *,
    with_heads: Make | None = None,
    name: str = "model",
    iterations: int = 10,
    batch: int = 4,
    seeds: Sequence[int] = (0, 1, 2),
    threshold: float = THRESHOLD,
    weight: float = 0.3,
    setting: Setting = OWN,
    device: str = "auto",
    data: str = "the caller's batches",
    progress: Callable[[int, int], None] | None = None,
) -> Probe:
    """Run the first iterations of training and average the gradients (Wang et al.: 10 to 50).

    Args:
        make, with_heads: build the plain network and the one with heads, whose other modules have
            the same names. Both start from the same weights.
        batches: for a seed, an iterable of (images, labels).
        batch: images a batch, which decides the learning rate: 0.01 for 256.
        seeds: one run for each; a seed sets weights, images and dropout.
        weight: of each head's loss (0.3 in Going Deeper, Section 5, and in Wang et al.).
        setting: how the networks are initialized; their own way by default.
        progress: called with (done, of).

    Raises ValueError for iterations outside 1 to 1000, for no seeds or more than 100, for a network
    without convolutions, and for CUDA where there is none."""
    _check(iterations, seeds)
    protocol = Protocol(iterations, batch, tuple(seeds), _device(device), data, weight)
    networks = [make] + ([with_heads] if with_heads else [])
    step = _counter(len(networks) * len(seeds) * iterations, progress)
    state = torch.get_rng_state()
    try:
        found = [gradients(partial(_built, m, setting), batches, protocol, step) for m in networks]
    finally:
        torch.set_rng_state(state)
    plain = found[0]
    if not plain.layers:
        raise ValueError(f"{name} has no convolutions, so there is nothing to probe")
    helped = found[1].only(layer.name for layer in plain.layers) if with_heads else None
    return Probe(name, setting.name, plain, helped, protocol, threshold)


def _check(iterations: int, seeds: Sequence[int]) -> None:
    if not 1 <= iterations <= MOST_ITERATIONS:
        raise ValueError(f"{iterations} iterations: choose 1 to 1000 (the rule asks for 10 to 50)")
    if not 1 <= len(seeds) <= MOST_SEEDS:
        raise ValueError(f"{len(seeds)} seeds: choose 1 to {MOST_SEEDS}")


def _device(device: str) -> str:
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "device cuda was asked for, but torch sees no CUDA device; use --device cpu"
        )
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


def _counter(of: int, progress: Callable[[int, int], None] | None) -> Callable[[], None]:
    done = count(1)

    def step() -> None:
        if progress:
            progress(next(done), of)

    return step


def _built(make: Make, setting: Setting, seed: int) -> nn.Module:
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType] torch has no types here
    model = make()
    setting.change(model)
    setting.initialize(model, seed)
    return model


def probe_zoo(
    name: str,
    *,
    iterations: int = 10,
    batch: int = 4,
    seeds: Sequence[int] = (0, 1, 2),
    threshold: float = THRESHOLD,
    setting: str = "released",
    beside: Iterable[str] = (),
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Probe:
    """`probe` of a zoo network with heads, on handwritten digits, initialized as Wang et al.'s
    released prototxt says; `setting` is another of `SETTINGS`, and `beside` those to run beside it,
    without heads.

    Raises ValueError for a network without heads and for an unknown setting, ImportError without
    scikit-learn."""
    require_heads(name)
    others = list(beside)
    for word in (setting, *others):
        if word not in SETTINGS:
            raise ValueError(f"unknown setting {word!r}{choice(word, SETTINGS)}")
    images = digits(zoo.input_shape(name)[1:], 1000, batch)
    step = _counter((2 + len(others)) * len(seeds) * iterations, progress)

    def run(word: str, with_heads: Make | None = None) -> Probe:
        return probe(
            partial(zoo.build, name),
            partial(_batches, images, batch, SETTINGS[word].unit_inputs),
            with_heads=with_heads,
            name=name,
            iterations=iterations,
            batch=batch,
            seeds=seeds,
            threshold=threshold,
            setting=SETTINGS[word],
            device=device,
            data="scikit-learn's handwritten digits, scaled up",
            progress=lambda done, of: step(),
        )

    found = run(setting, partial(zoo.build, name, aux=True))
    return replace(
        found, head_after=HEAD_AFTER.get(name, ""), beside=tuple(run(word) for word in others)
    )


def _batches(images: Images, batch: int, unit: bool, seed: int) -> Batches:
    scale = 1 / images.deviation if unit else 1.0
    return ((x * scale, y) for x, y in images.batches(batch, seed))
