"""The models that predictions are held to account on: whole networks, and sides of rewrites."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

import torch
from held_out import TIMM, TORCHVISION

import costlab
from costlab import zoo
from costlab.analysis.factorize import REWRITES, RULES, Conv, build, slug
from costlab.predict.calibration.networks import random_network

SEEDS = range(1_000_000, 1_000_030)  # calibration counts its own from 0
GRIDS = ((1, 64, 28), (8, 64, 28), (8, 256, 14))  # batch, channels and grid of the rewrites


@dataclass(frozen=True)
class Case:
    """A model to measure: `make()` gives it, with its inputs, on the CPU."""

    name: str
    make: Callable[[], tuple[torch.nn.Module, Any]]


def networks(sources: Sequence[str], batches: Sequence[int]) -> Iterator[Case]:
    """The networks, of all sources in turns, so that a run may end early."""
    listed: dict[str, list[Case]] = {
        "zoo": [_named(name, n) for n in batches for name in zoo.names()],
        "random": [Case(f"random {seed}", lambda s=seed: random_network(s)) for seed in SEEDS],
        "torchvision": [_named(f"torchvision:{name}", n) for n in batches for name in TORCHVISION],
        "timm": [_named(f"timm:{name}", n) for n in batches for name in TIMM],
    }
    chosen = [
        listed[s]
        for s in sources
        if s in ("zoo", "random") or importlib.util.find_spec(s) is not None
    ]
    yield from (case for case in chain(*zip_longest(*chosen)) if case)


def _named(name: str, batch: int) -> Case:
    def make() -> tuple[torch.nn.Module, Any]:
        side = zoo.input_shape(name)[-1] if ":" not in name else 224
        loaded = costlab.load(name, [f"{batch}x3x{side}x{side}"], device="cpu")
        return loaded.model, loaded.inputs

    return Case(f"{name} x{batch}", make)


def modules() -> dict[str, Case]:
    """Both sides of every rule of `costlab factorize`, at several sizes."""
    found: dict[str, Case] = {}
    for batch, width, grid in GRIDS:
        x = torch.randn(batch, width, grid, grid)
        for kernel, rewrite, name in RULES:
            conv = Conv(width, width, (kernel, kernel), padding=(kernel // 2, kernel // 2))
            mid = REWRITES[rewrite].default_mid(conv)
            before, after = slug(name)
            size = f"{batch}x{width}x{grid}x{grid}"
            found[f"{before} {size}"] = Case(before, lambda c=conv, x=x: (c.build(), x))
            found[f"{after} {size}"] = Case(
                after, lambda c=conv, r=rewrite, m=mid, x=x: (build(c, r, m), x)
            )
    return found
