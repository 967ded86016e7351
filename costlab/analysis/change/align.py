"""Which block of the head stands for which block of the base: by structure, and by name.

The structure of a block is what it runs: its operations with their arguments, and the shapes and
dtypes of their inputs, weights and outputs. Names of classes and attributes are no part of it.

1. In order. Of all ways to pair blocks of base and head without crossings, the one that is worth
   most. A pair of the same structure and path is worth 12, of the same structure alone 10, of the
   same path alone 7, of like operations (three fifths of them are the same, whatever their shapes)
   5; other blocks are no pair.
2. Out of order. What is left is paired with the same structure elsewhere, of the same path, then of
   the same last name, then of any; then with the same path, whatever its structure.

A pair is `equal` with the same structure and path, `renamed` with the same structure and another
path at the same place, `moved` with the same structure at another place, and otherwise `changed`.
Another place is another position in the order of execution, or another parent module while the old
one still is the parent of other blocks. A block without a pair was `added` or `removed`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from .operations import Operation

_EXACT, _STRUCTURE, _PATH, _ALIKE = 12, 10, 7, 5
_LIKE = 0.6  # share of the operations that alike blocks have in common


@dataclass(frozen=True)
class Block:
    """A row of a table, for its pairing.

    Attributes:
        ident: its id, the module path with a number where several rows share it.
        path: module path.
        operations: its structure.
    """

    ident: str
    path: str
    operations: tuple[Operation, ...]

    @property
    def parent(self) -> str:
        """The path of the module that it is in."""
        return self.path.rpartition(".")[0]

    @property
    def last_name(self) -> str:
        """Its own name in that module."""
        return self.path.rpartition(".")[2]


class Pair(NamedTuple):
    """Indices of a block of the base and of one of the head, None for none; `crossing`: whether
    the pair crosses others in the order of execution."""

    base: int | None
    head: int | None
    crossing: bool = False


def align(base: Sequence[Block], head: Sequence[Block]) -> list[Pair]:
    """Pairs of both sides, in the order of the head; what only the base has comes after what it
    follows there."""
    found = dict(_in_order(base, head))
    crossing = dict(_out_of_order(base, head, found))
    paired = {**found, **crossing}
    of_head = {j: i for i, j in paired.items()}
    gone = [i for i in range(len(base)) if i not in paired]
    pairs: list[Pair] = []
    done = 0  # blocks of the base that are in `pairs`, or before those
    for j in range(len(head)):
        i = of_head.get(j)
        if i is not None and i not in crossing:
            pairs += [Pair(k, None) for k in gone if done <= k < i]
            done = i + 1
        pairs.append(Pair(i, j, i in crossing))
    return [*pairs, *(Pair(k, None) for k in gone if k >= done)]


def new_parents(base: Sequence[Block], head: Sequence[Block], pairs: Sequence[Pair]) -> set[int]:
    """Indices of blocks of the base whose counterpart is in another module, while the one that they
    were in still has others of its blocks."""
    moves = [
        (i, base[i].parent, head[j].parent) for i, j, _ in pairs if i is not None and j is not None
    ]
    kept = {parent for _, parent, now in moves if parent == now}
    usual = {
        parent: Counter(now for _, old, now in moves if old == parent).most_common(1)[0][0]
        for parent in {old for _, old, _ in moves}
    }
    return {i for i, old, now in moves if now != old and (old in kept or now != usual[old])}


def _in_order(base: Sequence[Block], head: Sequence[Block]) -> Iterator[tuple[int, int]]:
    """The pairs without crossings that are worth most."""
    first, n, m = 0, len(base), len(head)
    while first < min(n, m) and _same(base[first], head[first]):
        yield first, first
        first += 1
    while min(n, m) > first and _same(base[n - 1], head[m - 1]):
        n, m = n - 1, m - 1
        yield n, m
    for i, j in _most_worth(base[first:n], head[first:m]):
        yield first + i, first + j


def _same(a: Block, b: Block) -> bool:
    return a.ident == b.ident and a.operations == b.operations


def _most_worth(base: Sequence[Block], head: Sequence[Block]) -> Iterator[tuple[int, int]]:
    """Pairs of places (base, head), both in ascending order, whose sum of worth is the greatest:
    the longest common subsequence, weighted."""
    worth = _worth(base, head)
    # best[i][j]: the greatest sum for the blocks of the base from i on and of the head from j on
    best = [[0] * (len(head) + 1) for _ in range(len(base) + 1)]
    for i in reversed(range(len(base))):
        row, below = best[i], best[i + 1]
        for j in reversed(range(len(head))):
            value = worth(i, j)
            row[j] = max(below[j], row[j + 1], value + below[j + 1] if value else 0)
    i = j = 0
    while i < len(base) and j < len(head):
        value = worth(i, j)
        if value and best[i][j] == value + best[i + 1][j + 1]:
            yield i, j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1


def _worth(base: Sequence[Block], head: Sequence[Block]) -> Callable[[int, int], int]:
    """What a pair of indices is worth, 0 for no pair. Structures are compared once."""
    numbers: dict[tuple[Operation, ...], int] = {}
    structures = [
        [numbers.setdefault(b.operations, len(numbers)) for b in side] for side in (base, head)
    ]
    names = [Counter(o.name for o in operations) for operations in numbers]

    @cache
    def alike(a: int, b: int) -> bool:
        common = (names[a] & names[b]).total()
        return common >= _LIKE * max(names[a].total(), names[b].total(), 1)

    def worth(i: int, j: int) -> int:
        a, b = structures[0][i], structures[1][j]
        same_path = base[i].ident == head[j].ident
        if a == b:
            return _EXACT if same_path else _STRUCTURE
        if same_path:
            return _PATH
        return _ALIKE if alike(a, b) else 0

    return worth


def _out_of_order(
    base: Sequence[Block], head: Sequence[Block], found: dict[int, int]
) -> Iterator[tuple[int, int]]:
    """Pairs among the blocks that have none."""
    left = [i for i in range(len(base)) if i not in found]
    right = [j for j in range(len(head)) if j not in found.values()]
    for same in _ELSEWHERE:
        for i in list(left):
            j = next((j for j in right if same(base[i], head[j])), None)
            if j is not None:
                yield i, j
                left.remove(i)
                right.remove(j)


_ELSEWHERE: tuple[Callable[[Block, Block], bool], ...] = (
    _same,
    lambda a, b: a.last_name == b.last_name and a.operations == b.operations,
    lambda a, b: a.operations == b.operations,
    lambda a, b: a.ident == b.ident,
)
