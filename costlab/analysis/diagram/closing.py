"""Some parts of a diagram as at a smaller depth, the others as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from . import notes
from .result import Box, Diagram, Edge, Part


def with_closed(d: Diagram, parts: Collection[int], smaller: Diagram) -> Diagram | None:
    """The diagram with some parts of its chain drawn as in a smaller one of the same trace, and a
    note; None where the two have no such parts in common.

    Args:
        parts: places in the chain of `d`, from 0.
        smaller: the same at a smaller depth.
    """
    mine, theirs = _chain(d), _chain(smaller)
    chain: list[Part] = []
    kept: list[Box] = []
    inside: list[Box] = []
    for own, other in _segments(d, smaller):
        if any(i in parts for i in own):
            chain += (shown := [theirs[i] for i in other])
            inside += _boxes(smaller, shown)
        else:
            chain += (shown := [mine[i] for i in own])
            kept += _boxes(d, shown)
    blocks = [b for b in inside if b.kind == "block"]
    if not blocks or len(inside) + len(kept) >= len(d.boxes):
        return None
    names = list(dict.fromkeys(b.name for b in blocks))
    note = notes.closed(names, d.depth, instead=smaller.depth)
    return _joined(d, kept, inside, chain, note)


def _joined(
    d: Diagram, kept: Sequence[Box], inside: Sequence[Box], chain: Sequence[Part], note: str
) -> Diagram:
    """The diagram of the boxes `kept` of `d` and those `inside` its closed parts."""
    owner = {key: b.id for b in (*kept, *inside) for key in _keys(b)}
    of = {b.id: next(owner[key] for key in _keys(b) if key in owner) for b in d.boxes}
    edges = {(of[e.source], of[e.target]): e.size for e in reversed(d.edges)}
    return replace(
        d,
        boxes=tuple(sorted((*kept, *inside), key=lambda b: min(b.units, default=-1))),
        edges=tuple(Edge(a, b, size) for (a, b), size in reversed(edges.items()) if a != b),
        root=Part("chain", children=tuple(chain)),
        notes=(*d.notes, note),
        shorter=None,
    )


def _boxes(d: Diagram, parts: Sequence[Part]) -> list[Box]:
    inside = {i for part in parts for i in part.boxes()}
    return [b for b in d.boxes if b.id in inside]


def _chain(d: Diagram) -> tuple[Part, ...]:
    return d.root.children if d.root.kind == "chain" else (d.root,)


def _keys(box: Box) -> Iterable[object]:
    """What a box draws: its units; an input of a module has none, and an id that is the same at
    every depth."""
    return box.units or (box.id,)


def _segments(d: Diagram, smaller: Diagram) -> list[tuple[range, range]]:
    """Both chains cut wherever they have drawn the same up to there: for each piece, its parts in
    the chain of `d` and in that of `smaller`. What only one of the two draws (a concat inside
    another) is not compared."""
    common = _all_keys(d) & _all_keys(smaller)
    ends, other = _drawn_up_to(d, common), _drawn_up_to(smaller, common)
    place = {keys: i for i, keys in reversed(list(enumerate(other, 1)))}
    found: list[tuple[range, range]] = []
    start = begin = 0
    for end, keys in enumerate(ends, 1):
        if (stop := place.get(keys, 0)) > begin:
            found.append((range(start, end), range(begin, stop)))
            start, begin = end, stop
    return found


def _all_keys(d: Diagram) -> set[object]:
    return {key for b in d.boxes for key in _keys(b)}


def _drawn_up_to(d: Diagram, common: set[object]) -> list[frozenset[object]]:
    """What of `common` a chain has drawn up to the end of each part."""
    boxes = {b.id: b for b in d.boxes}
    drawn: set[object] = set()
    found: list[frozenset[object]] = []
    for part in _chain(d):
        drawn |= {key for i in part.boxes() for key in _keys(boxes[i])}
        found.append(frozenset(drawn & common))
    return found
