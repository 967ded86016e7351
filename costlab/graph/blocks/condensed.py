"""The partition of a network that has too many blocks in a row to show each: those of one module
are one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, groupby

from ...trace.cached import once_per_trace
from ...trace.record import Trace
from ..layers import layer_graph
from .maker import BlockMaker
from .partition import partition
from .record import Block
from .rows import join_repeats

MOST = 1500  # blocks in a row


@once_per_trace
def condensed(trace: Trace) -> Block:
    """The partition of a trace, with `MOST` blocks in a row at most.

    Where it has more, blocks that follow one another in a module become one chain, for modules as
    deep in one another as that allows, and alike ones a repeat. Blocks of no module become chains
    of equal numbers of blocks."""
    root = partition(trace)
    if root.kind != "chain" or len(root.children) <= MOST:
        return root
    maker = BlockMaker(trace, layer_graph(trace))
    first, *others = root.children  # the first one is the input
    deepest = max(block.path.count(".") + 1 for block in others)
    for level in range(deepest, 0, -1):
        found = _joined(maker, _by_module(others, level))
        if len(found) < MOST:
            return maker.chain([first, *found])
    return maker.chain([first, *_joined(maker, _equal(others))])


def _joined(maker: BlockMaker, groups: Iterator[list[Block]]) -> list[Block]:
    return join_repeats(maker, [maker.chain(group) for group in groups])


def _by_module(blocks: Sequence[Block], level: int) -> Iterator[list[Block]]:
    """Blocks that follow one another in a module whose path has `level` names; each other block
    alone."""
    number = count()

    def module(block: Block) -> object:
        path = block.path.split(".")
        return path[:level] if len(path) >= level and block.path else next(number)

    return (list(group) for _, group in groupby(blocks, module))


def _equal(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Groups of as many blocks each, fewer than `MOST` of them."""
    size = -(-len(blocks) // (MOST - 1))
    return (list(blocks[i : i + size]) for i in range(0, len(blocks), size))
