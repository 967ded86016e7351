"""Frames around the mlpconv layers of a chain (Lin et al. 2013, Network in Network, Figure 1)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from ...graph import Node
from .placement import Placement
from .result import Part, chain


def framed(items: Sequence[Part], placement: Placement) -> list[Part]:
    """The parts of a chain, those of one mlpconv together in a frame: a convolution and two or more
    of 1x1 after it that are all of the convolutions of one module."""
    found: list[Part] = []
    items = list(items)
    while items:
        size = _mlpconv(items, placement)
        if size:
            found.append(Part("frame", children=(chain(items[:size]),), label="mlpconv"))
        else:
            found.append(items[0])
        items = items[max(size, 1) :]
    return found


def _mlpconv(items: Sequence[Part], placement: Placement) -> int:
    """How many of the first parts are one mlpconv; 0: none."""
    first = _convolution(items[0], placement)
    if first is None or first.pointwise or first.groups > 1:
        return 0
    after = (_convolution(item, placement) for item in items[1:])
    nodes = [first, *(n for n in takewhile(lambda n: n is not None and n.pointwise, after) if n)]
    for size in range(len(nodes), 2, -1):
        path = _common_path([n.op.module for n in nodes[:size] if n.op])
        if path and _convolutions_under(path, placement.nodes) == size:
            return size
    return 0


def _convolution(part: Part, placement: Placement) -> Node | None:
    """The convolution that a box stands for; None for any other part."""
    group = placement.groups.get(part.box)
    if group is None or group.block is not None:
        return None
    unit = placement.found.all[group.units[0]]
    node = placement.nodes[unit.nodes[0]]
    return node if node.kind == unit.kind == "conv" else None


def _convolutions_under(path: str, nodes: Sequence[Node]) -> int:
    """How many convolutions a module path has."""
    return sum(
        n.kind == "conv" and n.op is not None and f"{n.op.module}.".startswith(f"{path}.")
        for n in nodes
    )


def _common_path(modules: Sequence[str]) -> str:
    """The module path that all of these are under; "" for none."""
    split = [m.split(".") for m in modules]
    same = takewhile(lambda names: len(set(names)) == 1, zip(*split, strict=False))
    return ".".join(names[0] for names in same)
