"""Auxiliary classifiers: what they cost in training and at inference, and where a gradient-flow probe would put them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from .. import zoo
from ..cost import total, training
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace.build import traced

WITH_HEADS = ("googlenet", "inception_v3", "cnds8")
THRESHOLD = 1e-7  # Wang et al., arXiv 1505.02496: a branch after the layer whose mean gradient falls below this


@dataclass(frozen=True)
class AuxCost:
    """One network with and without its heads, for one image: params in elements, MACs in multiply-adds; each pair is (without,
    with). At inference the heads do not run: `inference` is the forward MACs with heads present, in evaluation mode; `trace` the training run with heads."""

    model: str
    params: tuple[int, int]
    forward: tuple[int, int]
    backward: tuple[int, int]
    inference: int
    trace: Trace


@dataclass(frozen=True)
class AuxCosts:
    """The networks of the note that have heads."""

    costs: tuple[AuxCost, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a network."""
        columns = (
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
        rows = []
        for c in self.costs:
            more = c.params[1] - c.params[0]
            f, b = c.forward[1] - c.forward[0], c.backward[1] - c.backward[0]
            rows.append(
                {
                    "network": c.model,
                    "params": c.params[0],
                    "heads' params": more,
                    "share of training params": more / c.params[1],
                    "forward MACs": c.forward[0],
                    "heads forward": f,
                    "heads backward": b,
                    "share of training MACs": (f + b) / (c.forward[1] + c.backward[1]),
                    "heads at inference": c.inference - c.forward[0],
                }
            )
        return Sheet(
            "auxiliary classifiers",
            columns,
            tuple(rows),
            (
                "for one image (traced in training mode with a batch of two, and halved); backward by tracing the backward pass",
                "the heads are dropped after training: at inference they have no MACs, and their params need not be kept",
                "params with biases and norm scales; one MAC = one multiply-add",
            ),
        )


def aux_costs(names=WITH_HEADS) -> AuxCosts:
    """Trace each zoo network with and without heads. Raises ValueError for one without heads."""
    found = []
    for name in names:
        if name not in WITH_HEADS:
            raise ValueError(
                f"{name} has no auxiliary classifiers in the zoo; choose {', '.join(WITH_HEADS)}"
            )
        shape = (2, *zoo.input_shape(name)[1:])
        steps = []
        for aux in (False, True):
            made = traced(lambda: zoo.build(name, aux=aux), shape, backward=True, spec=name)  # noqa: B023
            steps.append((total(made).params, training(made), made))
        one = traced(lambda: zoo.build(name, aux=True), (1, *shape[1:]))  # noqa: B023
        found.append(
            AuxCost(
                name,
                tuple(s[0] for s in steps),
                tuple(s[1].forward_macs // 2 for s in steps),
                tuple(s[1].backward_macs // 2 for s in steps),
                total(one).macs,
                steps[1][2],
            )
        )
    return AuxCosts(tuple(found))


@dataclass(frozen=True)
class Flow:
    """Mean |gradient| of the weights, layer by layer in forward order, over the probe's iterations. `without` and `with_heads` in the
    loss's units a weight; `heads` the losses that were added; `place`: the last layer, seen from the input, before which the plain
    network's gradient is under `threshold` (None: nowhere)."""

    model: str
    layers: tuple[str, ...]
    without: tuple[float, ...]
    with_heads: tuple[float, ...] | None
    threshold: float
    iterations: int
    data: str
    seed: int
    device: str

    @property
    def place(self) -> str | None:
        """The first layer, from the loss back to the input, whose mean gradient is under the threshold."""
        return next(
            (
                name
                for name, g in zip(reversed(self.layers), reversed(self.without))
                if g < self.threshold
            ),
            None,
        )

    @property
    def sheet(self) -> Sheet:
        """A row a layer."""
        columns = (
            Column("layer"),
            Column("mean |gradient|", "", format=".3e"),
            Column("with heads", "", format=".3e"),
            Column("under threshold"),
        )
        rows = tuple(
            {
                "layer": name,
                "mean |gradient|": a,
                "with heads": self.with_heads[i] if self.with_heads else None,
                "under threshold": "yes" if a < self.threshold else "",
            }
            for i, (name, a) in enumerate(zip(self.layers, self.without))
        )
        where = (
            f"a head belongs after {self.place}: there the gradient first falls under {self.threshold:g}, from the loss back"
            if self.place
            else (
                f"no layer's mean gradient is under {self.threshold:g} in these iterations: the rule places no head"
            )
        )
        return Sheet(
            f"{self.model}: gradient flow",
            columns,
            rows,
            (
                where,
                f"{self.iterations} iterations of SGD on {self.data}, seed {self.seed}, on {self.device}; the rule is Wang et al., arXiv 1505.02496",
            ),
        )


def digits(
    shape, classes: int, batch: int, seed: int
) -> Iterable[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches of scikit-learn's handwritten digits (1,797 real 8x8 images, shipped with the package), scaled to `shape`
    (c, H, W). Raises ImportError without scikit-learn, ValueError for fewer classes than digits."""
    from sklearn.datasets import load_digits

    if classes < 10:
        raise ValueError(f"the digits have 10 classes, the model {classes}")
    if not 1 <= batch <= 1797:
        raise ValueError(f"a batch of {batch}: choose 1 to 1797, the images that there are")
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32)[:, None] / 8 - 1
    labels = torch.tensor(data.target)
    generator = torch.Generator().manual_seed(seed)
    while True:
        for chosen in torch.randperm(len(images), generator=generator).split(batch):
            if len(chosen) == batch:
                x = nn.functional.interpolate(images[chosen], size=shape[1:], mode="bilinear")
                yield x.expand(-1, shape[0], -1, -1), labels[chosen]


def _losses(out, y):
    outs = out if isinstance(out, (tuple, list)) else (out,)
    return [
        nn.functional.nll_loss(o.clamp_min(1e-12).log(), y)
        if o.min() >= 0 and torch.allclose(o.sum(1), torch.ones(len(o), device=o.device), atol=1e-3)
        else nn.functional.cross_entropy(o, y)
        for o in outs
    ]


def _gradients(make, batches, iterations, seed, device, weight, progress):
    torch.manual_seed(seed)
    model = make().to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    layers = [(n, m) for n, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    sums = dict.fromkeys((n for n, _ in layers), 0.0)
    for i, (x, y) in zip(range(iterations), batches):
        losses = _losses(model(x.to(device)), y.to(device))
        optimizer.zero_grad()
        (losses[0] + weight * sum(losses[1:])).backward()
        for name, m in layers:
            sums[name] += float(m.weight.grad.abs().mean()) if m.weight.grad is not None else 0.0
        optimizer.step()
        if progress:
            progress(i + 1)
    return {k: v / iterations for k, v in sums.items()}


def probe(
    make: Callable[[], nn.Module],
    batches,
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
        make, with_heads: functions that build the plain network and the one with heads, randomly initialised as they do.
        batches: a function of no arguments that gives an iterable of (images, labels); called once a network.
        weight: of each head's loss (0.3 in Going Deeper, Section 5).
        progress: called with the number of iterations done.

    Raises ValueError for iterations outside 1 to 1000."""
    if not 1 <= iterations <= 1000:
        raise ValueError(f"{iterations} iterations: choose 1 to 1000 (the rule asks for 10 to 50)")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "device cuda was asked for, but torch sees no CUDA device; use --device cpu"
        )
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    state = torch.get_rng_state()
    try:
        plain = _gradients(make, batches(), iterations, seed, device, weight, progress)
        helped = (
            _gradients(with_heads, batches(), iterations, seed, device, weight, progress)
            if with_heads
            else None
        )
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
