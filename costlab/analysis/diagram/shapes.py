"""What shape a block has: a level of a U, a dense block, towers, a concat inside another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from ...graph import Node
from ...graph.blocks import Block, shared_path
from .placement import Placement

FORKS = ("residual", "sum", "concat", "gate", "attention", "join", "split")


def always_open(placement: Placement, block: Block) -> bool:
    """Blocks that are opened with what they are in: those that a module is a part of, levels of a
    U-Net, loops over time, towers with inputs or outputs of their own, dense blocks, and concats
    inside concats."""
    members = placement.members
    return (
        (members is not None and not set(block.nodes) <= members)
        or goes_down(placement.nodes, block)
        or any(placement.found.all[u].kind == "recurrent" for u in placement.all_of(block))
        or _is_towers(placement, block)
        or bool(dense_parts(placement, block))
        or _is_within_concat(placement, block)
    )


def goes_down(nodes: Sequence[Node], block: Block) -> bool:
    """Whether a block halves the grid, comes up again and meets what it began with, as the levels
    of a U-Net do."""
    if block.kind not in ("concat", "sum", "residual") or not block.skip:
        return False
    branches = block.branches
    if len(branches) != 1 or branches[0].kind != "chain":
        return False
    grids = [nodes[b.nodes[-1]].layout.grid for b in branches[0].children]
    whole = nodes[block.nodes[-1]].layout.grid
    return any(len(g) == len(whole) > 0 and prod(g) < prod(whole) for g in grids)


def cut_between_us(nodes: Sequence[Node], blocks: Sequence[Block]) -> list[Sequence[Block]]:
    """Blocks in a row, cut so that each part has one U-Net. Where one U-Net ends and the next one
    begins, the modules of two blocks have least in common; of several such places the last."""
    levels = [i for i, block in enumerate(blocks) if goes_down(nodes, block)]
    cuts = [0]
    for end, begin in pairwise(levels):
        places = range(end + 1, begin)  # a cut before block i; each side keeps a block
        if places:
            cuts.append(min(reversed(places), key=lambda i: _in_common(blocks[i - 1], blocks[i])))
    return [blocks[a:b] for a, b in pairwise([*cuts, len(blocks)])]


def _in_common(a: Block, b: Block) -> int:
    """How many names the module paths of two blocks begin with alike."""
    return len(shared_path([a.path, b.path]))


def _is_towers(placement: Placement, block: Block) -> bool:
    """Whether branches have inputs or outputs of the network of their own."""
    inputs = set(placement.waiting_inputs())
    return block.kind == "split" or (len(inputs) > 1 and block.kind != "tangle")


def _is_within_concat(placement: Placement, block: Block) -> bool:
    """Whether only another concat reads a concat."""
    if block.kind != "concat":
        return False
    found = placement.found
    end = found.of_node[block.nodes[-1]][-1]
    readers = [found.all[u].kind for u in found.readers[end]]
    return found.all[end].kind == "cat" and readers == ["cat"]


def dense_parts(placement: Placement, block: Block) -> list[list[int]]:
    """The units of each of the alike parts of a dense block; none of any other block."""
    if block.kind != "tangle":
        return []
    parts = _by_module(placement, block)
    texts = [[placement.found.all[u].text for u in part] for part in parts]
    several_layers = all(len(set(t)) > 1 for t in texts)
    alike = all(t == texts[-1] for t in texts[1:])  # the first one lacks the concat
    return parts if len(parts) > 2 and several_layers and alike else []


def _by_module(placement: Placement, block: Block) -> list[list[int]]:
    """The units of a tangle by the module that they are in."""
    deep = block.path.count(".") + 2 if block.path else 1
    found: dict[str, list[int]] = {}
    for n in block.nodes:
        op = placement.nodes[n].op
        path = ".".join(op.module.split(".")[:deep]) if op else ""
        of_node = placement.found.of_node[n]
        found.setdefault(path, []).extend(u for u in of_node if placement.open(u))
    return [list(dict.fromkeys(units)) for units in found.values() if units]


def stage_starts(nodes: Sequence[Node], alike: Sequence[Block]) -> bool:
    """Whether the first of alike blocks has another stride than the second."""
    first, second = ([nodes[n].stride for n in block.nodes] for block in alike[:2])
    return first != second
