"""The partition, found by dominance: what every path passes cuts a network into steps, and what
lies between two cuts is a block with branches, each cut in the same way. Names of modules only
group what is in a row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce

from ...trace.cached import once_per_trace
from ...trace.record import Trace
from ..layers import layer_graph
from ..node import Node, consumers
from .maker import BlockMaker
from .record import Block
from .rows import group_by_module, join_repeats

_ADDS = frozenset(f"aten.{n}" for n in ("add", "add_", "sub", "sub_", "rsub")) | {
    "quantized.add",
    "quantized.add_relu",
}
_PRODUCTS = frozenset(("aten.mul", "aten.mul_", "quantized.mul", "quantized.mul_relu"))


@once_per_trace
def partition(trace: Trace) -> Block:
    """The blocks of a trace: a chain that holds every operation of the forward pass, each in one
    child at every level. Worked out once and kept with the trace."""
    nodes = layer_graph(trace)
    return _Partition(nodes, BlockMaker(trace, nodes)).whole()


@dataclass(frozen=True)
class _Partition:
    """The structure of a layer graph; `maker` makes its blocks."""

    nodes: tuple[Node, ...]
    maker: BlockMaker

    @cached_property
    def readers(self) -> list[list[int]]:
        """For each node, the nodes that read it."""
        return consumers(self.nodes)

    def whole(self) -> Block:
        """The root."""
        inner = list(range(1, len(self.nodes)))
        steps = [self.maker.layer(0), *(self.steps(inner, 0) if inner else ())]
        return self.maker.chain(join_repeats(self.maker, group_by_module(self.maker, steps)))

    def steps(self, members: list[int], entry: int) -> list[Block]:
        """The blocks in a row of `members`, which are entered from `entry` alone."""
        inside = set(members)
        cuts = self.cuts(inside, entry)
        if not cuts:
            return [self.branched(members, entry, None)]
        place = {c: i for i, c in enumerate(cuts)}
        segments: list[list[int]] = [[] for _ in range(len(cuts) + 1)]
        at: dict[int, int] = {entry: 0}
        for n in members:
            at[n] = place[n] + 1 if n in place else at.get(self.nodes[n].idom, 0)
            if n not in place:
                segments[at[n]].append(n)
        found: list[Block] = []
        for i, end in enumerate(cuts):
            before = cuts[i - 1] if i else entry
            found.append(
                self.branched(segments[i], before, end) if segments[i] else self.maker.layer(end)
            )
        if segments[-1]:
            found.append(self.branched(segments[-1], cuts[-1], None))
        return found

    def cuts(self, inside: set[int], entry: int) -> list[int]:
        """The members that every path from `entry` to the outside passes, in order."""
        exits = [
            n
            for n in inside
            if not self.readers[n] or any(r not in inside for r in self.readers[n])
        ]
        at, found = reduce(self.common, sorted(exits, reverse=True)), list[int]()
        while at != entry and at in inside:
            found.append(at)
            at = self.nodes[at].idom
        return found[::-1]

    def common(self, a: int, b: int) -> int:
        """The nearest node that dominates both."""
        while a != b:
            if a > b:
                a = self.nodes[a].idom
            else:
                b = self.nodes[b].idom
        return a

    def branched(self, inner: list[int], entry: int, end: int | None) -> Block:
        """What lies between `entry` and `end`: branches, each a chain."""
        parts = self.apart(inner)
        if end is None and len(parts) == 1:
            return self.maker.compound("tangle", [self.maker.layer(n) for n in inner])
        branches = [
            self.maker.chain(join_repeats(self.maker, self.steps(part, entry))) for part in parts
        ]
        if end is None:
            return self.maker.compound("split", branches)
        skip = entry in self.nodes[end].preds
        kind = self.kind(end, branches, skip)
        return self.maker.compound(
            kind, [*self.flat(kind, branches), self.maker.layer(end)], skip=skip
        )

    def apart(self, inner: list[int]) -> list[list[int]]:
        """Groups of nodes with no edge between them (union by the first node of each)."""
        inside, group = set(inner), {n: n for n in inner}

        def root(n: int) -> int:
            while group[n] != n:
                group[n] = group[group[n]]
                n = group[n]
            return n

        for n in inner:
            for p in self.nodes[n].preds:
                if p in inside:
                    a, b = root(n), root(p)
                    group[max(a, b)] = min(a, b)
        found: dict[int, list[int]] = {}
        for n in inner:
            found.setdefault(root(n), []).append(n)
        return list(found.values())

    def kind(self, end: int, branches: list[Block], skip: bool) -> str:
        """The kind of block that `branches` and their common `end` are; `skip`: whether the block's
        input is a branch."""
        node = self.nodes[end]
        if node.kind == "cat":
            return "concat"
        if node.kind == "product":
            soft = any(self.nodes[n].kind == "softmax" for b in branches for n in b.nodes)
            return "attention" if soft else "join"
        name = node.op.name if node.op else ""
        if name in _ADDS:
            layers = sorted(self.maker.weighted(b) for b in branches)
            projected = len(layers) == 2 and layers[0] <= 1 < layers[1]
            return "residual" if skip or projected else "sum"
        return "gate" if name in _PRODUCTS else "join"

    def flat(self, kind: str, branches: list[Block]) -> list[Block]:
        """A sum of a sum is one sum: its branches, and the inner addition, which is one without
        layers."""
        found: list[Block] = []
        for b in branches:
            inner = b.children[0] if b.kind == "chain" and len(b.children) == 1 else b
            if kind in ("residual", "sum") and inner.kind == "sum":
                found += inner.children
            else:
                found.append(b)
        return found
