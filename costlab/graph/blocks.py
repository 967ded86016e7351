"""The one partition of a trace into blocks, found by dominance: what every path passes cuts a
network into steps, and what lies between two cuts is a block with branches, each cut in the same
way. Names of modules only group what is in a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

from ..trace.cached import once_per_trace
from ..trace.record import Trace
from .layers import layer_graph
from .node import WEIGHTED, Node

_ADDS = frozenset(f"aten.{n}" for n in ("add", "add_", "sub", "sub_", "rsub")) | {
    "quantized.add",
    "quantized.add_relu",
}
_PRODUCTS = frozenset(("aten.mul", "aten.mul_", "quantized.mul", "quantized.mul_relu"))
_PERIOD = 8  # blocks in a row that repeat together


@dataclass(frozen=True)
class Block:
    """Layers that belong together.

    `kind`: "layer"; "chain" (`children` in order); "repeat" (`children` alike, `times` of them); a
    block with branches, whose children are the branches and then its end: "residual" (branches are
    added, one is the input or a projection of it), "sum", "concat", "gate" (multiplied),
    "attention", "join" (any other operation), "split" (no end); "tangle": layers without such a
    structure. `path`: the module path that its layers share; `nodes` index the layer graph, `ops`
    the trace's operations, `inputs` and `outputs` its tensors, those read from outside and those
    that others read. `skip`: whether the block's input is a branch."""

    kind: str
    path: str
    nodes: tuple[int, ...]
    ops: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    children: tuple[Block, ...] = ()
    times: int = 1
    skip: bool = False
    alike: tuple[object, ...] = ()

    @property
    def branches(self) -> tuple[Block, ...]:
        """The branches of a block that has some, without its end."""
        if self.kind in ("layer", "chain", "repeat", "tangle"):
            return ()
        return self.children if self.kind == "split" else self.children[:-1]

    def walk(self) -> Iterable[Block]:
        """The block and all blocks inside it."""
        yield self
        for child in self.children:
            yield from child.walk()


@once_per_trace
def partition(trace: Trace) -> Block:
    """The blocks of a trace: a chain that holds every operation of the forward pass, each in one
    child at every level. Worked out once and kept with the trace."""
    return _Partition(trace, layer_graph(trace)).whole()


def consumers(nodes: Sequence[Node]) -> list[list[int]]:
    """For each node, the nodes that read it."""
    found: list[list[int]] = [[] for _ in nodes]
    for n in nodes:
        for p in dict.fromkeys(n.preds):
            found[p].append(n.index)
    return found


@dataclass(frozen=True)
class _Partition:
    trace: Trace
    nodes: tuple[Node, ...]

    @cached_property
    def readers(self) -> list[list[int]]:
        return consumers(self.nodes)

    @cached_property
    def order(self) -> dict[int, int]:
        """The place of each operation in the trace."""
        return {id(op): i for i, op in enumerate(self.trace.ops)}

    def whole(self) -> Block:
        """The root."""
        inner = list(range(1, len(self.nodes)))
        steps = [self.layer(0), *(self.steps(inner, 0) if inner else ())]
        return self.chain(_repeats(self, _by_module(self, steps)))

    # --- structure ---

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
                self.branched(segments[i], before, end) if segments[i] else self.layer(end)
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
        at, found = reduce(self.common, exits), list[int]()
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
            return self.made("tangle", [self.layer(n) for n in inner])
        branches = [self.chain(_repeats(self, self.steps(part, entry))) for part in parts]
        if end is None:
            return self.made("split", branches)
        skip = entry in self.nodes[end].preds
        kind = self.kind(end, branches, skip)
        return self.made(kind, [*self.flat(kind, branches), self.layer(end)], skip=skip)

    def apart(self, inner: list[int]) -> list[list[int]]:
        """Groups of nodes with no edge between them."""
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
        node = self.nodes[end]
        if node.kind == "cat":
            return "concat"
        if node.kind == "product":
            soft = any(self.nodes[n].kind == "softmax" for b in branches for n in b.nodes)
            return "attention" if soft else "join"
        name = node.op.name if node.op else ""
        if name in _ADDS:
            layers = sorted(self.weighted(b) for b in branches)
            projected = len(layers) == 2 and layers[0] <= 1 < layers[1]
            return "residual" if skip or projected else "sum"
        return "gate" if name in _PRODUCTS else "join"

    def weighted(self, block: Block) -> int:
        """Layers with weights."""
        return sum(self.nodes[n].kind in WEIGHTED for n in block.nodes)

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

    # --- blocks ---

    def layer(self, n: int) -> Block:
        """One layer; alike ones have one shape of weights. Their strides and sizes differ where one
        is the first of a stage."""
        node = self.nodes[n]
        width = node.width if node.kind in WEIGHTED else 0
        alike = (node.kind, node.kernel, node.dilation, node.groups, width)
        path = node.op.module if node.op else ""
        return self.block("layer", path, (n,), (), alike)

    def made(self, kind: str, children: list[Block], skip: bool = False) -> Block:
        """A block of others."""
        nodes = tuple(sorted(n for c in children for n in c.nodes))
        shown = children
        if kind == "residual":  # the shortcut of a stage's first block is a projection
            shown = sorted(children[:-1], key=self.weighted)[0 if skip else 1 :]
        alike = (kind, tuple(c.alike for c in shown))
        block = self.block(kind, self.path(nodes), nodes, tuple(children), alike)
        return replace(block, skip=skip)

    def chain(self, children: list[Block]) -> Block:
        """Blocks in a row."""
        return children[0] if len(children) == 1 else self.made("chain", children)

    def repeat(self, children: list[Block]) -> Block:
        """Alike blocks in a row."""
        return replace(self.made("repeat", children), times=len(children))

    def key(self, block: Block) -> tuple[object, ...]:
        """What alike blocks in a row share. The first residual block of a stage may have another
        input."""
        first, last = self.nodes[block.nodes[0]], self.nodes[block.nodes[-1]]
        before = () if block.kind == "residual" else first.in_shape
        return block.alike, last.layout.size, before

    def path(self, nodes: Iterable[int]) -> str:
        """The module path that layers share."""
        ops = (self.nodes[n].op for n in nodes)
        return ".".join(_shared(list(dict.fromkeys(op.module for op in ops if op))))

    def block(
        self,
        kind: str,
        path: str,
        nodes: Sequence[int],
        children: Sequence[Block],
        alike: tuple[object, ...],
    ) -> Block:
        ops = [op for n in nodes for op in self.nodes[n].ops]
        written = {o for op in ops for o in op.outputs}
        read = dict.fromkeys(i for op in ops for i in op.inputs if i not in written)
        places = {self.order[id(op)] for op in ops}
        outputs = [o for o in sorted(written) if any(r not in places for r in self.uses.get(o, ()))]
        return Block(
            kind,
            path,
            tuple(nodes),
            tuple(sorted(places)),
            tuple(i for i in read if i in self.makers),
            tuple(outputs),
            tuple(children),
            alike=alike,
        )

    @cached_property
    def makers(self) -> frozenset[int]:
        """Tensors that come from the input or an operation, and are no parameters."""
        made = {o for op in self.trace.forward for o in op.outputs}
        return frozenset(made | set(self.trace.inputs))

    @cached_property
    def uses(self) -> dict[int, list[int]]:
        """The operations that read each tensor; -1 for the outputs of the network."""
        found: dict[int, list[int]] = {}
        for op in self.trace.forward:
            for i in op.inputs:
                found.setdefault(i, []).append(self.order[id(op)])
        for o in self.trace.outputs:
            found.setdefault(o, []).append(-1)
        return found


def _by_module(partition: _Partition, steps: list[Block]) -> list[Block]:
    """Layers without a shortcut in a row that share a module at the depth of the residual blocks
    are one chain (the strided blocks of mobile networks)."""
    depths = [b.path.count(".") + 1 for b in steps if b.kind == "residual" and b.path]
    level = min(depths, default=99)
    found: list[list[Block]] = []
    for block in steps:
        path = block.path.split(".")[:level]
        last = found[-1][-1] if found else None
        joins = (
            last is not None
            and len(path) == level
            and "residual" not in (block.kind, last.kind)
            and last.path.split(".")[:level] == path
        )
        if joins:
            found[-1].append(block)
        else:
            found.append([block])
    return [partition.chain(group) for group in found]


def _repeats(partition: _Partition, steps: list[Block]) -> list[Block]:
    """With runs of alike blocks as one: alike in a row, or several that alternate."""
    keys = [partition.key(b) for b in steps]
    found: list[Block] = []
    i = 0
    while i < len(steps):
        period, times = _run(steps, keys, i)
        if times < 2:
            found.append(steps[i])
            i += 1
            continue
        groups = [steps[i + k * period : i + (k + 1) * period] for k in range(times)]
        found.append(partition.repeat([partition.chain(g) for g in groups]))
        i += period * times
    return found


def _run(steps: list[Block], keys: list[tuple[object, ...]], start: int) -> tuple[int, int]:
    """(blocks that repeat together, how often) of the run at `start` that takes in most blocks;
    single layers alone are no run."""
    best = (1, 1)
    for period in range(1, min(_PERIOD, (len(steps) - start) // 2) + 1):
        if all(b.kind == "layer" for b in steps[start : start + period]):
            continue
        if _straddles(steps[start : start + period], steps[start + period]):
            continue
        unit, times = keys[start : start + period], 1
        while keys[start + times * period : start + (times + 1) * period] == unit:
            times += 1
        if times > 1 and period * times > best[0] * best[1]:
            best = (period, times)
    return best


def _straddles(unit: list[Block], after: Block) -> bool:
    """Whether a module that the unit ends in goes on after it."""
    across = _shared([unit[-1].path, after.path])
    return len(unit) > 1 and len(across) > len(_shared([b.path for b in unit]))


def _shared(paths: list[str]) -> list[str]:
    """The parts that all module paths begin with."""
    found: list[str] = []
    for parts in zip(*(p.split(".") for p in paths), strict=False):
        if len(set(parts)) > 1:
            break
        found.append(parts[0])
    return found
