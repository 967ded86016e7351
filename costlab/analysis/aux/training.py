"""A few training iterations of one network, and the gradients of its convolutions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from statistics import fmean

import torch
from torch import Tensor, nn

from ...trace.modules import modules_by_path
from .images import Batches
from .settings import seed_of

RATE = 0.01  # for a batch of
REFERENCE_BATCH = (
    256  # images, as in the prototxt; a smaller one takes proportionally smaller steps
)
MOMENTUM = 0.9


@dataclass(frozen=True)
class Protocol:
    """How the networks train: `iterations` of SGD on batches of `batch` images, once for each of
    `seeds` (of the weights, the batches and dropout), on `device`, on the images that `data`
    names. `weight` of each head's loss."""

    iterations: int
    batch: int
    seeds: tuple[int, ...]
    device: str
    data: str
    weight: float = 0.3

    @property
    def rate(self) -> float:
        """The learning rate."""
        return RATE * self.batch / REFERENCE_BATCH


@dataclass(frozen=True)
class Layer:
    """A convolution. `curves`: the mean |gradient| of its weights, in the loss's units a weight, at
    each iteration; a curve a seed."""

    name: str
    curves: tuple[tuple[float, ...], ...]

    @property
    def means(self) -> tuple[float, ...]:
        """Over the iterations, a value a seed."""
        return tuple(fmean(curve) for curve in self.curves)

    @property
    def mean(self) -> float:
        """Over the iterations and the seeds."""
        return fmean(self.means)

    @property
    def course(self) -> tuple[float, ...]:
        """The mean of the seeds, iteration by iteration."""
        return tuple(fmean(values) for values in zip(*self.curves, strict=True))


@dataclass(frozen=True)
class Gradients:
    """The convolutions of a network in forward order, named by path; a convolution that is the
    first of its module (`conv1.0`) by that module."""

    layers: tuple[Layer, ...]

    def only(self, names: Iterable[str]) -> Gradients:
        """The convolutions of these names."""
        wanted = set(names)
        return Gradients(tuple(layer for layer in self.layers if layer.name in wanted))

    @property
    def last(self) -> Layer:
        """The convolution next to the loss."""
        return self.layers[-1]

    @property
    def lowest(self) -> Layer:
        """The convolution with the smallest mean gradient."""
        return min(self.layers, key=lambda layer: layer.mean)

    def lowest_of(self, seed: int) -> Layer:
        """The convolution with the smallest mean gradient in the run of the seed at this place."""
        return min(self.layers, key=lambda layer: layer.means[seed])

    @property
    def fall(self) -> float:
        """How many times smaller the smallest mean gradient is than that next to the loss."""
        return self.last.mean / self.lowest.mean if self.lowest.mean else float("inf")

    def first_under(self, threshold: float) -> Layer | None:
        """The first convolution, from the loss back to the input, whose mean gradient is under the
        threshold; None: there is none."""
        return next((x for x in reversed(self.layers) if x.mean < threshold), None)


def gradients(
    make: Callable[[int], nn.Module],
    batches: Callable[[int], Batches],
    protocol: Protocol,
    step: Callable[[], None],
) -> Gradients:
    """Train `make(seed)` on `batches(seed)` once for each seed; `step()` is called after each
    iteration."""
    runs = [list(_run(make(seed), batches(seed), protocol, seed, step)) for seed in protocol.seeds]
    return Gradients(
        tuple(
            Layer(name.removesuffix(".0"), tuple(tuple(row[name] for row in run) for run in runs))
            for name in runs[0][0]
        )
    )


def _run(
    model: nn.Module, batches: Batches, protocol: Protocol, seed: int, step: Callable[[], None]
) -> Iterator[dict[str, float]]:
    """Mean |gradient| of each convolution's weight, by path; a dict an iteration."""
    model = model.to(protocol.device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=protocol.rate, momentum=MOMENTUM)
    convs = {n: m for n, m in modules_by_path(model) if isinstance(m, nn.Conv2d)}
    _seed_dropout(model, seed)
    for x, y in islice(batches, protocol.iterations):
        first, *others = losses(model(x.to(protocol.device)), y.to(protocol.device))
        optimizer.zero_grad()
        whole = torch.stack([first, *(protocol.weight * loss for loss in others)]).sum()
        whole.backward()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        yield {n: _mean_gradient(m.weight) for n, m in convs.items()}
        optimizer.step()  # pyright: ignore[reportUnknownMemberType] nor here
        step()


def _mean_gradient(weight: Tensor) -> float:
    return 0.0 if weight.grad is None else float(weight.grad.abs().mean())


def _seed_dropout(model: nn.Module, seed: int) -> None:
    """Let each dropout draw from a seed of its name and of the iteration, so that a head draws
    nothing from the network's own."""
    for name, module in modules_by_path(model):
        if isinstance(module, nn.Dropout):
            module.register_forward_pre_hook(_reseed(seed, name))


def _reseed(seed: int, name: str) -> Callable[[nn.Module, object], None]:
    runs = count()

    def hook(module: nn.Module, args: object) -> None:
        torch.manual_seed(seed_of(seed, name, next(runs)))  # pyright: ignore[reportUnknownMemberType]

    return hook


def losses(out: Tensor | Sequence[Tensor], labels: Tensor) -> list[Tensor]:
    """The loss of each output; outputs that are probabilities are not normalized again."""
    outs = (out,) if isinstance(out, Tensor) else out
    return [
        nn.functional.nll_loss(o.clamp_min(1e-12).log(), labels)
        if _are_probabilities(o)
        else nn.functional.cross_entropy(o, labels)
        for o in outs
    ]


def _are_probabilities(out: Tensor) -> bool:
    ones = torch.ones(len(out), device=out.device)
    return bool(out.min() >= 0) and torch.allclose(out.sum(1), ones, atol=1e-3)
