"""The levels of a U-Net: its bottom in two arms where the page is narrow, its levels on pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...analysis.diagram import Part
from ...analysis.diagram.result import chain


def with_bottom_in_arms(part: Part) -> Part:
    """A U whose bottom goes on down the left arm and up the right one instead of from left to
    right, which takes less width; a part that has no such U is returned as it is."""
    if part.kind != "u":
        return part
    left, inner, right = part.children
    if inner.kind == "chain":
        half = len(inner.children) // 2
        arms = (chain(inner.children[:half]), chain(inner.children[half:]))
        return replace(part, children=(left, Part("u", children=arms), right))
    return replace(part, children=(left, with_bottom_in_arms(inner), right))


def cuts(part: Part) -> Iterator[tuple[Part, Part | None]]:
    """What of a U a page may hold, the most first, each with what is left for the next page: all of
    it, the same with its bottom in two arms, then ever fewer of its outer levels."""
    yield part, None
    yield with_bottom_in_arms(part), None
    for count in range(_levels(part) - 1, 0, -1):
        yield _outer(part, count), _inside(part, count)


def _levels(part: Part) -> int:
    return 1 + _levels(part.children[1]) if part.kind == "u" else 0


def _outer(part: Part, count: int) -> Part:
    """The `count` outermost levels of a U, without what is below them."""
    left, inner, right = part.children
    if count == 1:
        return replace(part, children=(left, right))
    return replace(part, children=(left, _outer(inner, count - 1), right))


def _inside(part: Part, count: int) -> Part:
    """What is below the `count` outermost levels of a U."""
    return part if count == 0 else _inside(part.children[1], count - 1)
