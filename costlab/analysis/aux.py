"""Auxiliary classifiers: what they cost in training and at inference, and where a gradient-flow
probe would put them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from functools import partial

import torch
from torch import nn

from .. import zoo
from .._pictures import Picture
from .._pictures import diagram as diagram_picture
from .._result import Charted
from ..cost import total, training
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace.build import traced
from . import notes
from .diagram import diagram

WITH_HEADS = ("googlenet", "inception_v3", "cnds8")
# Wang et al., arXiv 1505.02496: a branch after the layer whose mean gradient falls below this
THRESHOLD = 1e-7
MOST_ITERATIONS = 1000


@dataclass(frozen=True)
class Step:
    """A training step for one image: `params` elements; `forward` and `backward` multiply-adds."""

    params: int
    forward: int
    backward: int


@dataclass(frozen=True)
class AuxCost:
    """One network without and with its heads, in training. At inference the heads do not run:
    `inference` is the forward MACs with heads present, in evaluation mode. `trace`: the training
    run with heads."""

    model: str
    without: Step
    with_heads: Step
    inference: int
    trace: Trace

    @property
    def heads(self) -> Step:
        """What the heads add."""
        a, b = self.without, self.with_heads
        return Step(b.params - a.params, b.forward - a.forward, b.backward - a.backward)


@dataclass(frozen=True)
class AuxCosts(Charted):
    """The networks of the note that have heads."""

    costs: tuple[AuxCost, ...]

    chart_kind = "aux"

    def diagram(self) -> Picture:
        """The first network with its heads, as it trains. Needs the diagrams extra."""
        return diagram_picture(diagram(self.costs[0].trace))

    @property
    def sheet(self) -> Sheet:
        """A row a network."""
        rows = tuple(_row(cost) for cost in self.costs)
        return Sheet("auxiliary classifiers", _COLUMNS, rows, notes.aux_costs())


_COLUMNS = (
    Column("network"),
    Column("params", "params"),
    Column("heads' params", "params"),
    Column("share of training params", "%", format=".1%"),
    Column("forward MACs", "MACs"),
    Column("heads forward", "MACs"),
    Column("heads backward", "MACs"),
    Column("share of training MACs", "%", format=".2%"),
    Column("heads at inference", "MACs"),
)


def _row(cost: AuxCost) -> dict:
    heads, whole = cost.heads, cost.with_heads
    added, all_macs = heads.forward + heads.backward, whole.forward + whole.backward
    return {
        "network": cost.model,
        "params": cost.without.params,
        "heads' params": heads.params,
        "share of training params": heads.params / whole.params,
        "forward MACs": cost.without.forward,
        "heads forward": heads.forward,
        "heads backward": heads.backward,
        "share of training MACs": added / all_macs,
        "heads at inference": cost.inference - cost.without.forward,
    }


def aux_costs(names: Iterable[str] = WITH_HEADS) -> AuxCosts:
    """Trace each zoo network with and without heads. Raises ValueError for one without heads."""
    return AuxCosts(tuple(_cost(name) for name in names))


def _require_heads(name: str) -> None:
    if name not in WITH_HEADS:
        raise ValueError(
            f"{name} has no auxiliary classifiers in the zoo; choose {', '.join(WITH_HEADS)}"
        )


def _cost(name: str) -> AuxCost:
    _require_heads(name)
    one = (1, *zoo.input_shape(name)[1:])
    two = (2, *one[1:])  # batch norm in training needs two
    without, with_heads = (
        traced(partial(zoo.build, name, aux=aux), two, backward=True, spec=name)
        for aux in (False, True)
    )
    inference = total(traced(partial(zoo.build, name, aux=True), one)).macs
    return AuxCost(name, _step(without), _step(with_heads), inference, with_heads)


def _step(trace: Trace) -> Step:
    """Of one image; the trace is of two."""
    cost = training(trace)
    return Step(total(trace).params, cost.forward_macs // 2, cost.backward_macs // 2)


@dataclass(frozen=True)
class Flow(Charted):
    """Mean |gradient| of the weights, layer by layer in forward order, over the probe's iterations.

    `without` and `with_heads` (None: not run) in the loss's units a weight; `data` names the
    batches."""

    model: str
    layers: tuple[str, ...]
    without: tuple[float, ...]
    with_heads: tuple[float, ...] | None
    threshold: float
    iterations: int
    data: str
    seed: int
    device: str

    chart_kind = "gradients"

    @property
    def place(self) -> str | None:
        """The first layer, from the loss back to the input, whose mean gradient is under the
        threshold; None: nowhere."""
        pairs = zip(reversed(self.layers), reversed(self.without), strict=True)
        return next((name for name, g in pairs if g < self.threshold), None)

    @property
    def sheet(self) -> Sheet:
        """A row a layer."""
        helped = self.with_heads or (None,) * len(self.layers)
        rows = tuple(
            {
                "layer": name,
                "mean |gradient|": without,
                "with heads": with_heads,
                "under threshold": "yes" if without < self.threshold else "",
            }
            for name, without, with_heads in zip(self.layers, self.without, helped, strict=True)
        )
        run = (
            f"{self.iterations} iterations of SGD on {self.data}, seed {self.seed}, "
            f"on {self.device}"
        )
        said = notes.gradient_flow(self.place, self.threshold, run)
        return Sheet(f"{self.model}: gradient flow", _FLOW_COLUMNS, rows, said)


_FLOW_COLUMNS = (
    Column("layer"),
    Column("mean |gradient|", "", format=".3e"),
    Column("with heads", "", format=".3e"),
    Column("under threshold"),
)


def digits(
    shape: Sequence[int], classes: int, batch: int, seed: int
) -> Iterable[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches of scikit-learn's handwritten digits (1,797 real 8x8 images, shipped with the
    package), scaled to `shape` (c, H, W).

    Raises ImportError without scikit-learn, ValueError for fewer classes than digits."""
    from sklearn.datasets import load_digits

    if classes < 10:
        raise ValueError(f"the digits have 10 classes, the model {classes}")
    if not 1 <= batch <= 1797:
        raise ValueError(f"a batch of {batch}: choose 1 to 1797, the images that there are")
    data: Any = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32)[:, None] / 8 - 1
    labels = torch.tensor(data.target)
    generator = torch.Generator().manual_seed(seed)
    while True:
        for chosen in torch.randperm(len(images), generator=generator).split(batch):
            if len(chosen) == batch:
                x = nn.functional.interpolate(images[chosen], size=shape[1:], mode="bilinear")
                yield x.expand(-1, shape[0], -1, -1), labels[chosen]


def _losses(out, labels: torch.Tensor) -> list[torch.Tensor]:
    """The loss of each output; outputs that are probabilities are not normalized again."""
    outs = out if isinstance(out, (tuple, list)) else (out,)
    return [
        nn.functional.nll_loss(o.clamp_min(1e-12).log(), labels)
        if _are_probabilities(o)
        else nn.functional.cross_entropy(o, labels)
        for o in outs
    ]


def _are_probabilities(out: torch.Tensor) -> bool:
    ones = torch.ones(len(out), device=out.device)
    return bool(out.min() >= 0) and torch.allclose(out.sum(1), ones, atol=1e-3)


@dataclass(frozen=True)
class _Training:
    """How the probe trains: `weight` of each head's loss."""

    iterations: int
    seed: int
    device: str
    weight: float
    progress: Callable[[int], None] | None

    def gradients(self, make: Callable[[], nn.Module], batches) -> dict[str, float]:
        """Mean |gradient| of each convolution's and linear layer's weight, by path."""
        torch.manual_seed(self.seed)
        model = make().to(self.device).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        layers = [(n, m) for n, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        sums = dict.fromkeys((n for n, _ in layers), 0.0)
        for i, (x, y) in zip(range(self.iterations), batches, strict=False):
            losses = _losses(model(x.to(self.device)), y.to(self.device))
            optimizer.zero_grad()
            (losses[0] + self.weight * sum(losses[1:])).backward()
            for name, m in layers:
                if m.weight.grad is not None:
                    sums[name] += float(m.weight.grad.abs().mean())
            optimizer.step()
            if self.progress:
                self.progress(i + 1)
        return {k: v / self.iterations for k, v in sums.items()}


def probe(
    make: Callable[[], nn.Module],
    batches: Callable[[], Iterable[tuple[torch.Tensor, torch.Tensor]]],
    *,
    with_heads: Callable[[], nn.Module] | None = None,
    name: str = "model",
    iterations: int = 20,
    threshold: float = THRESHOLD,
    weight: float = 0.3,
    seed: int = 0,
    device: str = "auto",
    data: str = "the caller's batches",
    progress: Callable[[int], None] | None = None,
) -> Flow:
    """Run real training iterations and average the gradients (Wang et al.: 10 to 50 iterations).

    Args:
        make, with_heads: functions that build the plain network and the one with heads, randomly
            initialised as they do.
        batches: gives an iterable of (images, labels); called once a network.
        weight: of each head's loss (0.3 in Going Deeper, Section 5).
        progress: called with the number of iterations done.

    Raises ValueError for iterations outside 1 to 1000, and for CUDA where there is none."""
    if not 1 <= iterations <= MOST_ITERATIONS:
        raise ValueError(f"{iterations} iterations: choose 1 to 1000 (the rule asks for 10 to 50)")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "device cuda was asked for, but torch sees no CUDA device; use --device cpu"
        )
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    run = _Training(iterations, seed, device, weight, progress)
    state = torch.get_rng_state()
    try:
        plain = run.gradients(make, batches())
        helped = run.gradients(with_heads, batches()) if with_heads else None
    finally:
        torch.set_rng_state(state)
    return Flow(
        name,
        tuple(plain),
        tuple(plain.values()),
        tuple(helped[k] for k in plain) if helped else None,
        threshold,
        iterations,
        data,
        seed,
        device,
    )


def probe_zoo(
    name: str,
    *,
    iterations: int = 20,
    batch: int = 8,
    threshold: float = THRESHOLD,
    seed: int = 0,
    device: str = "auto",
    progress: Callable[[int], None] | None = None,
) -> Flow:
    """`probe` of a zoo network with heads, on handwritten digits in batches of `batch`.

    Raises ValueError for a network without heads, ImportError without scikit-learn."""
    _require_heads(name)
    shape = zoo.input_shape(name)[1:]
    return probe(
        partial(zoo.build, name),
        lambda: digits(shape, 1000, batch, seed),
        with_heads=partial(zoo.build, name, aux=True),
        name=name,
        iterations=iterations,
        threshold=threshold,
        seed=seed,
        device=device,
        data="scikit-learn's handwritten digits, scaled up",
        progress=progress,
    )
