"""The resnet style: Table 1 of *Deep Residual Learning* (He et al., arXiv 1512.03385), stages as
[3x3, 64; 3x3, 64] x 2, from the partition of the trace into blocks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...graph import WEIGHTED, Block, Node, longest, partition
from ...trace.record import Trace
from ..groups import Group, patch, rate_of, span, x
from .modules import Depth

_LONG = 8  # layers of a block that a cell names
_PRODUCT = "matrix product"


def typical(trace: Trace, nodes: Sequence[Node]) -> set[int]:
    """Layers of residual blocks with convolutions; what a transformer adds up is none."""
    return {
        m
        for b in partition(trace).walk()
        if b.kind in ("residual", "sum") and any(nodes[m].kind == "conv" for m in b.nodes)
        for m in b.nodes
    }


def rows(
    trace: Trace, nodes: Sequence[Node], depth: Depth = None, merge: bool = True
) -> Iterator[Group]:
    """Groups in execution order: a run of alike blocks is one row, and so is each other block or
    layer. `depth` and `merge` are those of the other styles, and change nothing here."""
    text = _Text(nodes)
    found = _in_rows(nodes, partition(trace))
    shared = Counter(blocks[0].path for blocks in found)
    for blocks in found:
        members = [nodes[i] for block in blocks for i in block.nodes]
        name, layers = _name(blocks[0], shared), text.row(blocks[0])
        alone = name != blocks[0].path or shared[name] == 1
        yield Group(
            name,
            {
                "layer name": name or "(model)",
                "output size": members[-1].layout.size,
                "layers": layers,
                "depth": longest(members),
            },
            members,
            [trace.ops[i] for block in blocks for i in block.ops],
            "" if alone else layers,
        )


def _name(block: Block, shared: Mapping[str, int]) -> str:
    """The module path; the first and the last of alike modules beside each other, also where their
    container has further rows (`shared`: the rows of each path)."""
    if block.kind != "repeat" or (block.path and shared[block.path] == 1):
        return block.path
    paths = [c.path for c in block.children]
    return span(paths) if len({re.sub(r"\d+", "*", p) for p in paths}) == 1 else paths[0]


def _in_rows(nodes: Sequence[Node], whole: Block) -> list[list[Block]]:
    """The blocks of each row: a bare addition or product belongs to the row that it follows."""
    found: list[list[Block]] = []
    for block in whole.children if whole.kind == "chain" else (whole,):
        if found and all(nodes[i].kind == "join" for i in block.nodes):
            found[-1].append(block)
        else:
            found.append([block])
    return found


class _Text:
    """Blocks in words, as the papers' tables write them."""

    def __init__(self, nodes: Sequence[Node]):
        self.nodes = nodes

    def row(self, block: Block) -> str:
        """The cell of a row."""
        if block.kind == "layer":
            return self.single(self.nodes[block.nodes[0]])
        inner, times = block, f" x {block.times}" if block.times > 1 else ""
        if block.kind == "repeat":
            inner = block.children[-1]
        if inner.kind in ("residual", "chain", "tangle"):
            joined = any(b.kind in ("residual", "concat", "sum") for b in inner.walk())
            return f"{self.bracketed(inner)}{times}{'' if joined else ', no shortcut'}"
        return (self.bracketed(inner) if times else self.block(inner)) + times

    def one(self, block: Block) -> bool:
        """Whether the block's text is in brackets of its own."""
        return block.kind in ("residual", "sum", "concat")

    def single(self, node: Node) -> str:
        """A layer that is a row by itself."""
        if node.kind in WEIGHTED:
            return layer(node) + _stride(node)
        if node.op is None:
            return "input"
        return f"{x(node.kernel)} {node.kind}{_stride(node)}" if node.kernel else node.kind

    def block(self, block: Block) -> str:
        """A block inside a cell."""
        match block.kind:
            case "layer":
                node = self.nodes[block.nodes[0]]
                if node.kind == "product":
                    return _PRODUCT
                return self.single(node) if node.kind in WEIGHTED or node.kernel else ""
            case "repeat":
                return f"{self.bracketed(block.children[-1])} x {block.times}"
            case "residual":
                return self.residual(block)
            case "sum" | "concat" | "split":
                return "{" + " | ".join(self.branches(block)) + "}"
            case "gate" | "join" | "attention":
                return self.short("; ".join(filter(None, self.parts(block))))
            case _:
                return self.chain(block.children)

    def bracketed(self, block: Block) -> str:
        """A block inside a cell, in brackets, its own or new ones."""
        found = self.block(block)
        return found if self.one(block) else f"[{found}]"

    def branches(self, block: Block) -> list[str]:
        """Each branch, and the input where it is one."""
        found = [self.bracketed(b) if self.block(b) else "" for b in block.branches]
        return [*filter(None, found), *(["pass"] if block.skip or "" in found else [])]

    def residual(self, block: Block) -> str:
        """The body of a residual block; its shortcut is not shown, as in the paper. Several bodies
        are branches."""
        bodies = [b for b in block.branches if self.block(b)]
        if not block.skip and len(bodies) == 2:
            bodies = sorted(bodies, key=lambda b: self.weighted(b))[1:]
        if len(bodies) == 1:
            return self.bracketed(bodies[0])
        return "{" + " | ".join([*map(self.bracketed, bodies), "pass"]) + "}"

    def weighted(self, block: Block) -> int:
        return sum(self.nodes[n].kind in WEIGHTED for n in block.nodes)

    def chain(self, children: Iterable[Block]) -> str:
        """Blocks in a row, no more than a cell can hold."""
        return self.short("; ".join(filter(None, map(self.block, children))))

    def short(self, found: str) -> str:
        """Without what a cell cannot hold."""
        parts = _split(found)
        if len(parts) > _LONG:
            parts = [*parts[: _LONG - 2], f"... {len(parts)} layers"]
        return "; ".join(parts)

    def parts(self, block: Block) -> list[str]:
        """What is beside the data: squeeze-and-excitation by its width, attention by its name,
        otherwise the branches."""
        squeezed = [
            n
            for n in (self.nodes[i] for i in block.nodes)
            if n.kind in WEIGHTED and not n.layout.grid
        ]
        if block.kind == "gate" and squeezed:
            return [f"squeeze-excite, {squeezed[0].width}"]
        found = [p for b in block.branches for p in _split(self.block(b))]
        if block.kind == "attention":
            return [*(p for p in found if p != _PRODUCT), "attention"]
        return [*found, *([_PRODUCT] if self.nodes[block.nodes[-1]].kind == "product" else [])]


def _split(text: str) -> list[str]:
    """The parts of a list, which brackets keep together."""
    found, depth = [""], 0
    for word in text.split("; "):
        found[-1] += word if not found[-1] else f"; {word}"
        depth += sum(word.count(c) for c in "[{") - sum(word.count(c) for c in "]}")
        if depth == 0:
            found.append("")
    return found[:-1] if not found[-1] else found


def layer(node: Node) -> str:
    """A layer with weights, but for its stride."""
    if node.kind == "linear":
        return f"linear, {node.width}"
    rate = f", dilated {rate_of(node)}" if set(node.dilation) - {1} else ""
    word = " transposed" if node.kind == "transposed conv" else ""
    if node.depthwise:
        return f"{x(node.kernel)} depthwise, {node.width}{rate}"
    groups = f", groups {node.groups}" if node.groups > 1 else ""
    return f"{x(node.kernel)}{word}, {node.width}{groups}{rate}"


def _stride(node: Node) -> str:
    return f", stride {patch(node).split('/')[1]}" if set(node.stride) - {1} else ""
