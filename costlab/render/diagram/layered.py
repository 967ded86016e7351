"""Boxes without a nested structure, in layers: each below what it reads (Sugiyama et al., 1981)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from .clock import Clock
from .geometry import Piece, Rect
from .metrics import Metrics

Edge = tuple[str, str]
Via = tuple[str, str, int]  # the place that a long edge (from, to) takes up in a layer between
Node = str | Via  # what stands in a layer: a box or a via
Sizes = Mapping[str, tuple[float, float]]  # (width, height) of each box

_SWEEPS = 6
_VIAS = 4000  # with more vias, long edges run straight
_THIN = 4.0  # points that a via takes in a layer


def layered(sizes: Sizes, edges: Sequence[Edge], m: Metrics, clock: Clock) -> Piece:
    """Boxes in layers; long edges pass between the boxes of each layer.

    Raises OutOfTimeError after the end of `clock`."""
    rank = _ranks(sizes, edges)
    layers, steps = _with_vias(sizes, edges, rank)
    _order(layers, steps, clock)
    return _placed(sizes, edges, layers, m)


def _ranks(sizes: Sizes, edges: Iterable[Edge]) -> dict[str, int]:
    """The length of the longest way to each box; boxes are in order of execution."""
    feeders: dict[str, list[str]] = {}
    for a, b in edges:
        feeders.setdefault(b, []).append(a)
    rank: dict[str, int] = {}
    for box in sizes:
        rank[box] = 1 + max((rank.get(f, 0) for f in feeders.get(box, ())), default=-1)
    return rank


def _with_vias(
    sizes: Sizes, edges: Sequence[Edge], rank: Mapping[str, int]
) -> tuple[list[list[Node]], list[tuple[Node, Node]]]:
    """The boxes and vias of each layer, and the steps of the edges from layer to layer."""
    layers: list[list[Node]] = [[] for _ in range(1 + max(rank.values()))]
    for box in sizes:
        layers[rank[box]].append(box)
    long = sum(rank[b] - rank[a] - 1 for a, b in edges)
    steps: list[tuple[Node, Node]] = []
    for a, b in edges:
        between = range(rank[a] + 1, rank[b]) if long <= _VIAS else ()
        vias: list[Node] = [(a, b, k) for k in between]
        for k, via in zip(between, vias, strict=True):
            layers[k].append(via)
        steps += pairwise([a, *vias, b])
    return layers, steps


def _order(layers: Sequence[list[Node]], steps: Iterable[tuple[Node, Node]], clock: Clock) -> None:
    """Orders each layer by the mean place of its neighbours above, then below, and again."""
    above: dict[Node, list[Node]] = {}
    below: dict[Node, list[Node]] = {}
    for a, b in steps:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    place = {n: share for row in layers for n, share in _places(row)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for layer in layers if down else reversed(layers):
            clock.check()
            mean = {
                n: sum(place[k] for k in neighbours[n]) / len(neighbours[n])
                if n in neighbours
                else place[n]
                for n in layer
            }
            layer.sort(key=mean.__getitem__)
            place.update(_places(layer))


def _places(layer: Sequence[Node]) -> Iterator[tuple[Node, float]]:
    """Where in a layer each box or via stands, from 0 to 1."""
    return ((node, i / max(1, len(layer) - 1)) for i, node in enumerate(layer))


def _placed(
    sizes: Sizes, edges: Sequence[Edge], layers: Sequence[Sequence[Node]], m: Metrics
) -> Piece:
    """Layers from top to bottom, each in the middle of the width of the widest."""

    def size(node: Node) -> tuple[float, float]:
        return sizes[node] if isinstance(node, str) else (_THIN, 0.0)

    widths = [sum(size(n)[0] for n in row) + m.aside * (len(row) - 1) for row in layers]
    wide = max(widths)
    found = Piece(wide, 0.0, wide / 2)
    y = 0.0
    for row, own in zip(layers, widths, strict=True):
        x = (wide - own) / 2
        high = max(size(n)[1] for n in row)
        for n in row:
            w, h = size(n)
            if isinstance(n, str):
                found.rects[n] = Rect(x, y + (high - h) / 2, w, h)
            else:
                middle = x + w / 2
                a, b, _ = n
                found.vias.setdefault((a, b), []).extend([(middle, y), (middle, y + high)])
            x += w + m.aside
        y += high + 1.8 * m.gap
    found.height = y - 1.8 * m.gap
    read, fed = {a for a, _ in edges}, {b for _, b in edges}
    found.entries = tuple(n for n in sizes if n not in fed)
    found.exits = tuple(n for n in sizes if n not in read)
    return found
