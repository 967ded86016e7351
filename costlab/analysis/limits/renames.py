"""What a module is called in another version of a model, from blocks of both that are paired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from .quantities import is_inside


class Called(NamedTuple):
    """The module path of one block in base and in head."""

    base: str
    head: str


def called_in_both(
    block: str, base: Collection[str], head: Collection[str], pairs: Iterable[tuple[str, str]]
) -> Called:
    """What a block is called in each version. A name that both have is the same block, and so is
    one that neither has, or whose blocks went to different places.

    Args:
        block: module path in one of them, or in both; "" for the whole model.
        base, head: the module paths of each.
        pairs: the path of a block in the base, and that of its counterpart in the head."""
    if block in base and block not in head:
        return Called(block, _counterpart(block, head, base, pairs) or block)
    if block in head and block not in base:
        turned = ((new, old) for old, new in pairs)
        return Called(_counterpart(block, base, head, turned) or block, block)
    return Called(block, block)


def _counterpart(
    block: str, others: Collection[str], own: Collection[str], pairs: Iterable[tuple[str, str]]
) -> str | None:
    """The module of the other version that more than half of a block's parts went to; None where
    there is none. A module that both versions have has its own counterpart."""
    found = list(_candidates(block, pairs))
    if not found:
        return None
    name, votes = Counter(found).most_common(1)[0]
    agreed = 2 * votes > len(found) and name in others and name not in own
    return name if agreed else None


def _candidates(block: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What each pair says that a block is called: of a pair around the block the same place in the
    counterpart, of one inside it the module as far around the counterpart."""
    for mine, theirs in pairs:
        if mine and is_inside(block, mine):
            yield theirs + block[len(mine) :]
        elif is_inside(mine, block):
            yield ".".join(theirs.split(".")[: block.count(".") - mine.count(".")])
