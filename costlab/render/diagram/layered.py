"""Boxes without a nested structure, in layers: each below what it reads (Sugiyama et al., 1981)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .clock import Clock
from .geometry import Piece, Rect
from .metrics import Metrics

_SWEEPS = 6
_VIAS = 4000  # places that long edges take up in the layers between; with more they run straight
_THIN = 4.0  # points that a long edge takes in a layer


def layered(
    sizes: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    m: Metrics,
    clock: Clock,
) -> Piece:
    """Boxes of (width, height) in layers; long edges pass between the boxes of each layer.

    Raises OutOfTimeError after the end of `clock`."""
    rank = _ranks(sizes, edges)
    layers, chains = _with_vias(sizes, edges, rank)
    _order(layers, chains, clock)
    return _placed(sizes, edges, layers, m)


def _ranks(sizes, edges) -> dict[str, int]:
    """The length of the longest way to each box; boxes are in order of execution."""
    feeders: dict[str, list[str]] = {}
    for a, b in edges:
        feeders.setdefault(b, []).append(a)
    rank: dict[str, int] = {}
    for box in sizes:
        rank[box] = 1 + max((rank.get(f, 0) for f in feeders.get(box, ())), default=-1)
    return rank


def _with_vias(sizes, edges, rank):
    """Boxes and the places of long edges a layer, and the short steps between layers."""
    layers: list[list] = [[] for _ in range(1 + max(rank.values()))]
    for box in sizes:
        layers[rank[box]].append(box)
    long = sum(rank[b] - rank[a] - 1 for a, b in edges)
    steps = []
    for a, b in edges:
        between = [(a, b, k) for k in range(rank[a] + 1, rank[b])] if long <= _VIAS else []
        for via in between:
            layers[via[2]].append(via)
        way = [a, *between, b]
        steps += zip(way, way[1:], strict=False)
    return layers, steps


def _order(layers, steps, clock: Clock) -> None:
    """Orders each layer by the mean place of its neighbours above, then below, and again."""
    above: dict = {}
    below: dict = {}
    for a, b in steps:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for layer in layers if down else reversed(layers):
            clock.check()
            place = {n: i / max(1, len(row) - 1) for row in layers for i, n in enumerate(row)}
            mean = {
                n: sum(place[k] for k in neighbours[n]) / len(neighbours[n])
                if n in neighbours
                else place[n]
                for n in layer
            }
            layer.sort(key=mean.__getitem__)


def _placed(sizes, edges, layers, m: Metrics) -> Piece:
    size = lambda n: sizes.get(n, (_THIN, 0.0))  # noqa: E731
    widths = [sum(size(n)[0] for n in row) + m.aside * (len(row) - 1) for row in layers]
    wide = max(widths)
    found = Piece(wide, 0.0, wide / 2)
    y = 0.0
    for row, own in zip(layers, widths, strict=True):
        x = (wide - own) / 2
        high = max(size(n)[1] for n in row)
        for n in row:
            w, h = size(n)
            if n in sizes:
                found.rects[n] = Rect(x, y + (high - h) / 2, w, h)
            else:
                middle = x + w / 2
                found.vias.setdefault(n[:2], []).extend([(middle, y), (middle, y + high)])
            x += w + m.aside
        y += high + 1.8 * m.gap
    found.height = y - 1.8 * m.gap
    read, fed = {a for a, _ in edges}, {b for _, b in edges}
    found.entries = tuple(n for n in sizes if n not in fed)
    found.exits = tuple(n for n in sizes if n not in read)
    return found
