"""Forks of the layer graph that meet in a channel concatenation: the modules of the Inception
papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .node import Node, consumers


@dataclass(frozen=True)
class Branch:
    """One branch of a fork: `chain` from the root on, then, where it forks again, `subs` that are
    concatenated."""

    chain: tuple[Node, ...]
    subs: tuple[Branch, ...] = ()

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All layers of the branch."""
        return (*self.chain, *(n for s in self.subs for n in s.nodes))


@dataclass(frozen=True)
class Fork:
    """Branches from node `root` to the channel concatenation `end`. `members` index all nodes of
    the region, with the inner concatenations and `squeeze`, a 1x1 convolution that feeds nothing
    but this fork (SqueezeNet's fire)."""

    root: int
    end: int
    members: tuple[int, ...]
    branches: tuple[Branch, ...]
    squeeze: Node | None


_INSIDE = 40  # layers of a branch that is not a chain


class _NotAForkError(Exception):
    pass


def _chain(nodes: Sequence[Node], p: int, root: int) -> tuple[Node, ...]:
    found: list[Node] = []
    while p != root:
        node = nodes[p]
        if len(node.preds) != 1 or p < root:
            raise _NotAForkError
        found.append(node)
        p = node.preds[0]
    return tuple(reversed(found))


def _branches(nodes: Sequence[Node], end: int, root: int, members: set[int]) -> tuple[Branch, ...]:
    found: list[Branch] = []
    for p in nodes[end].preds:
        if nodes[p].kind == "cat" and p != root:
            inner = nodes[p].idom
            prefix = _chain(nodes, inner, root)
            members.update((p, *(n.index for n in prefix)))
            subs = _branches(nodes, p, inner, members)
            found += [Branch(prefix, subs)] if prefix else subs
        else:
            try:
                chain = _chain(nodes, p, root)
            except _NotAForkError:
                chain = _region(nodes, p, root)
            if members.intersection(n.index for n in chain):
                raise _NotAForkError  # two branches share layers
            members.update(n.index for n in chain)
            found.append(Branch(chain))
    return tuple(found)


def _region(nodes: Sequence[Node], p: int, root: int) -> tuple[Node, ...]:
    """A branch that is not a chain (a residual, squeeze-and-excitation, attention inside it): all
    layers between root and p, in order. One with a concatenation inside is none."""
    seen: set[int] = set()
    todo = [p]
    while todo:
        q = todo.pop()
        if q == root or q in seen:
            continue
        if q < root or nodes[q].kind == "cat" or len(seen) == _INSIDE:
            raise _NotAForkError
        seen.add(q)
        todo += nodes[q].preds
    return tuple(nodes[q] for q in sorted(seen))


def _levels(nodes: Sequence[Node], root: int, end: int, branches: tuple[Branch, ...]) -> bool:
    """A level of a U-Net: the input passes through beside a way down to a coarser grid and up
    again."""
    grid = nodes[end].out_shape[2:]
    return any(not b.nodes for b in branches) and any(
        len(n.out_shape) == len(grid) + 2 and n.out_shape[2:] < grid
        for b in branches
        for n in b.nodes
    )


def forks(nodes: Sequence[Node]) -> tuple[Fork, ...]:
    """The outermost forks in execution order. A region whose inside is read from outside (a dense
    block), or that has other complete blocks in series inside (a U-Net), is none."""
    readers = consumers(nodes)
    found: list[Fork] = []
    taken: set[int] = set()
    for node in reversed(nodes):
        if node.kind != "cat" or node.index in taken:
            continue
        root, members = node.idom, {node.index}
        try:
            branches = _branches(nodes, node.index, root, members)
        except _NotAForkError:
            continue
        if (
            len(members) < 3
            or members & taken
            or _levels(nodes, root, node.index, branches)
            or any(r not in members for m in members if m != node.index for r in readers[m])
        ):
            continue
        squeeze = (
            nodes[root] if nodes[root].pointwise and members.issuperset(readers[root]) else None
        )
        if squeeze:
            members.add(root)
            root = squeeze.preds[0]
        taken |= members
        found.append(Fork(root, node.index, tuple(sorted(members)), branches, squeeze))
    return tuple(reversed(found))
