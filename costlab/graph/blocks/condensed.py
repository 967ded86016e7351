"""The partition of a network that has too many blocks in a row to show each: those of one module
are one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, groupby

from ...trace.cached import once_per_trace
from ...trace.record import Trace
from ..layers import layer_graph
from .maker import BlockMaker, shared_path
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
    return condensed_within(trace, frozenset(range(1, len(layer_graph(trace)))))


def condensed_within(trace: Trace, members: frozenset[int]) -> Block:
    """The partition of a trace, in which the blocks in a row that have the layers `members`
    (indices of the layer graph, without the input) are `MOST` at most, as in `condensed`."""
    return _condensed(BlockMaker(trace, layer_graph(trace)), partition(trace), members)


def _condensed(maker: BlockMaker, block: Block, members: frozenset[int]) -> Block:
    """A block in which the smallest one that has all of `members` is condensed if it is a row."""
    children = block.children
    mine = [i for i, child in enumerate(children) if not members.isdisjoint(child.nodes)]
    if len(mine) == 1:
        inner = children[mine[0]]
        shorter = _condensed(maker, inner, members)
        if shorter is inner:
            return block
        return replace(block, children=tuple(shorter if c is inner else c for c in children))
    if block.kind != "chain" or len(mine) < MOST:
        return block
    first, end = mine[0], mine[-1] + 1
    return maker.chain([*children[:first], *_row(maker, children[first:end]), *children[end:]])


def _row(maker: BlockMaker, blocks: Sequence[Block]) -> list[Block]:
    """Blocks in a row as fewer than `MOST`: those of one module below the one that has all."""
    deepest = max(block.path.count(".") + 1 for block in blocks)
    shared = len(shared_path([block.path for block in blocks]))
    for level in range(deepest, shared, -1):
        found = _joined(maker, _by_module(blocks, level))
        if len(found) < MOST:
            return found
    return _joined(maker, _equal(blocks))


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
