"""What a block is: layers that belong together, and the blocks inside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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
