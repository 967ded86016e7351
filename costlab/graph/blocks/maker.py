"""Makes blocks of layers and of other blocks, with what each reads and writes, and the key by which
alike ones are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ...trace.record import Trace
from ..node import WEIGHTED, Node
from .record import Block


@dataclass(frozen=True)
class BlockMaker:
    """Makes the blocks of one trace; `nodes` are its layer graph."""

    trace: Trace
    nodes: tuple[Node, ...]

    def layer(self, n: int) -> Block:
        """One layer; alike ones have one shape of weights. Their strides and sizes differ where one
        is the first of a stage."""
        node = self.nodes[n]
        width = node.width if node.kind in WEIGHTED else 0
        alike = (node.kind, node.kernel, node.dilation, node.groups, width)
        path = node.op.module if node.op else ""
        return self.block("layer", path, (n,), (), alike)

    def compound(self, kind: str, children: list[Block], skip: bool = False) -> Block:
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
        return children[0] if len(children) == 1 else self.compound("chain", children)

    def repeat(self, children: list[Block]) -> Block:
        """Alike blocks in a row."""
        return replace(self.compound("repeat", children), times=len(children))

    def weighted(self, block: Block) -> int:
        """Layers with weights."""
        return sum(self.nodes[n].kind in WEIGHTED for n in block.nodes)

    def key(self, block: Block) -> tuple[object, ...]:
        """What alike blocks in a row share. The first residual block of a stage may have another
        input."""
        first, last = self.nodes[block.nodes[0]], self.nodes[block.nodes[-1]]
        before = () if block.kind == "residual" else first.in_shape
        return block.alike, last.layout.size, before

    def path(self, nodes: Iterable[int]) -> str:
        """The module path that layers share."""
        ops = (self.nodes[n].op for n in nodes)
        return ".".join(shared_path(list(dict.fromkeys(op.module for op in ops if op))))

    def block(
        self,
        kind: str,
        path: str,
        nodes: Sequence[int],
        children: Sequence[Block],
        alike: tuple[object, ...],
    ) -> Block:
        """A block of these layers, with its operations and the tensors that cross its border."""
        ops = [op for n in nodes for op in self.nodes[n].ops]
        places = {self.place[id(op)] for op in ops}
        written = {o for op in ops for o in op.outputs}
        read = dict.fromkeys(i for op in ops for i in op.inputs if i not in written)
        return Block(
            kind=kind,
            path=path,
            nodes=tuple(nodes),
            ops=tuple(sorted(places)),
            inputs=tuple(i for i in read if i in self.activations),
            outputs=tuple(o for o in sorted(written) if not places.issuperset(self.readers(o))),
            children=tuple(children),
            alike=alike,
        )

    def readers(self, tensor: int) -> Sequence[int]:
        """The places of the operations that read a tensor; -1 for an output of the network."""
        return self.uses.get(tensor, ())

    @cached_property
    def place(self) -> dict[int, int]:
        """The place in the trace of each operation, by its id."""
        return {id(op): i for i, op in enumerate(self.trace.ops)}

    @cached_property
    def activations(self) -> frozenset[int]:
        """Tensors that come from the input or an operation, and are not parameters."""
        return frozenset(self.trace.inputs).union(*(op.outputs for op in self.trace.forward))

    @cached_property
    def uses(self) -> dict[int, list[int]]:
        """`readers` of every tensor that is read."""
        found: dict[int, list[int]] = {}
        for op in self.trace.forward:
            for i in op.inputs:
                found.setdefault(i, []).append(self.place[id(op)])
        for o in self.trace.outputs:
            found.setdefault(o, []).append(-1)
        return found


def shared_path(paths: list[str]) -> list[str]:
    """The parts that all module paths begin with."""
    found: list[str] = []
    for parts in zip(*(p.split(".") for p in paths), strict=False):
        if len(set(parts)) > 1:
            break
        found.append(parts[0])
    return found
