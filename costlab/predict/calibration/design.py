"""What is measured, in which order: the most useful first, so that a run may end at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, islice

import numpy as np

from ..kernels import Copy, Elementwise, Kernel, Product
from .batches import in_batch
from .journal import Case
from .spaces import spread

BATCHES = {"cuda": (1, 8, 32), "cpu": (1, 8)}  # of the shapes that networks have
# parts of the points; convolutions vary the most, and take most of the time of most networks
SHARES = {
    "convolution": 0.38,
    "product": 0.13,
    "elementwise": 0.09,
    "depthwise convolution": 0.08,
    "normalization": 0.06,
    "pooling": 0.04,
    "concatenation": 0.04,
    "attention": 0.03,
    "copy": 0.03,
    "softmax": 0.03,
    "reduction": 0.02,
    "transposed convolution": 0.02,
    "3-d convolution": 0.02,
    "interpolation": 0.01,
    "recurrent": 0.01,
    "lookup": 0.01,
}
_UNUSUAL_EVERY = 3  # kernels, one in the layouts that are not usual for a dtype too
_REAL_TO_SPREAD = 3  # so many shapes that networks have, then one between them
_PRODUCT_SIDES = {"cuda": (1024, 2048, 4096, 8192), "cpu": (128, 256, 512, 1024)}
_COPIES = {"cuda": range(8, 28), "cpu": range(8, 26)}  # powers of 2, in elements

Conditions = tuple[str, str]  # dtype and layout


def cases(
    real: Mapping[Kernel, int], conditions: Sequence[Conditions], kind: str
) -> Iterator[Case]:
    """Cases without end.

    Args:
        real: kernels that networks have for one image, with how often they have them.
        conditions: what to measure under.
        kind: of the device, "cuda" or "cpu"."""
    for dtype in dict.fromkeys(dtype for dtype, _ in conditions):
        yield from ((kernel, dtype, "contiguous") for kernel in _ceilings(kind))
    families = {name: _family(name, real, BATCHES[kind]) for name in SHARES}
    usual = usual_conditions(conditions, kind)
    turns = Counter[str]()
    for name in _in_turns(SHARES):
        kernel = next(families[name])
        turns[name] += 1
        often = conditions if turns[name] % _UNUSUAL_EVERY == 0 else usual
        for dtype, layout in _varied(kernel, often):
            yield kernel, dtype, layout


def usual_conditions(conditions: Sequence[Conditions], kind: str) -> Sequence[Conditions]:
    """Those with the usual layout of their dtype; all where there are none."""
    return [c for c in conditions if c[1] == _usual_layout(c[0], kind)] or conditions


def _usual_layout(dtype: str, kind: str) -> str:
    """The layout in which networks are fastest, and mostly run, in a dtype."""
    short = kind == "cuda" and dtype in ("bf16", "fp16")
    return "channels-last" if short else "contiguous"


def _ceilings(kind: str) -> Iterator[Kernel]:
    """What the device can do at most, and at least: launching, moving, multiplying."""
    yield Elementwise("relu", 64)
    for side in _PRODUCT_SIDES[kind]:
        yield Product(1, side, side, side)
    for power in _COPIES[kind]:
        yield Copy(2**power)
        yield Elementwise("relu", 2**power)


def _varied(kernel: Kernel, conditions: Sequence[Conditions]) -> Iterable[Conditions]:
    """The conditions that make a difference to a kernel."""
    if kernel.layouts:
        return conditions
    return dict.fromkeys((dtype, "contiguous") for dtype, _ in conditions)


def _in_turns(shares: Mapping[str, float]) -> Iterator[str]:
    """Names without end, each as often as its share says, evenly spread."""
    due = dict.fromkeys(shares, 0.0)
    while True:
        for name, share in shares.items():
            due[name] += share
        name = max(due, key=due.__getitem__)
        due[name] -= sum(shares.values())
        yield name


def _family(name: str, real: Mapping[Kernel, int], batches: Sequence[int]) -> Iterator[Kernel]:
    """Kernels of one family without end, none of them twice: those that networks have, spread ones
    among them, and then those alone."""
    seen: set[Kernel] = set()
    found = {k: n for k, n in real.items() if k.family == name}
    batched: dict[Kernel, int] = {}
    for images in batches:
        for kernel, n in found.items():
            batched.setdefault(in_batch(kernel, images), n)
    between = spread(name)
    ordered = farthest_first(batched)
    mixed = chain.from_iterable((*islice(ordered, _REAL_TO_SPREAD), next(between)) for _ in count())
    for kernel in mixed:
        if kernel not in seen and kernel.written > 0 and kernel.flops >= 0:
            seen.add(kernel)
            yield kernel


def farthest_first(kernels: Mapping[Kernel, int]) -> Iterator[Kernel]:
    """Kernels in such an order that each is far from all before it, the frequent ones sooner: the
    next is the one whose distance to the nearest before it is largest, times 1 + log2 of its
    count (Gonzalez 1985, weighted)."""
    if not kernels:
        return
    listed = list(kernels)
    points = np.array([k.features for k in listed])
    weights = 1 + np.log2([kernels[k] for k in listed])
    distance = np.full(len(listed), np.inf)
    following = int(np.argmax(weights))
    for _ in listed:
        yield listed[following]
        distance = np.minimum(distance, np.sqrt(((points - points[following]) ** 2).sum(1)))
        distance[following] = -1.0
        following = int(np.argmax(distance * weights))
