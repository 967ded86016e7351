"""What goes between the boxes of a tree, and from outside into those of a module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...trace.record import Trace
from .result import Box, Edge, Part
from .tree import Tree
from .units import Units


class Edges:
    """Edges of a tree, and the inputs of a module. `ids`: of each box, by its name in the tree, in
    the order of the tree."""

    def __init__(self, trace: Trace, found: Units, nested: Tree, ids: Mapping[str, str]):
        self.trace, self.found, self.nested, self.ids = trace, found, nested, ids
        self.owner = {u: name for name, g in nested.groups.items() for u in g.units}

    def between_boxes(self) -> tuple[Edge, ...]:
        """Each pair of boxes once, with the tensor that goes between them."""
        found: dict[tuple[str, str], int] = {}
        place = {name: i for i, name in enumerate(self.ids)}
        for (a, b), tensor in self.found.edges.items():
            for source, target in self._past_inner(a, b):
                one, other = self.owner.get(source), self.owner.get(target)
                if one is not None and other is not None and place[one] < place[other]:
                    found.setdefault((one, other), tensor)
        ids, size = self.ids, self.found.size
        return tuple(Edge(ids[a], ids[b], size(t)) for (a, b), t in found.items())

    def _past_inner(self, a: int, b: int) -> list[tuple[int, int]]:
        """An edge from an inner concat that is not drawn comes from what it joins."""
        if b in self.nested.passed:
            return [(a, self._outer(b))]
        return [] if a in self.nested.passed else [(a, b)]

    def _outer(self, unit: int) -> int:
        while unit in self.nested.passed:
            unit = self.nested.passed[unit]
        return unit

    def _outside(self) -> dict[int, list[str]]:
        """Tensors from outside, and the boxes that read them."""
        found: dict[int, list[str]] = {}
        for (a, b), tensor in self.found.edges.items():
            if a not in self.owner and a not in self.nested.passed and b in self.owner:
                found.setdefault(tensor, []).append(self.owner[b])
        return found

    def inputs(self) -> list[Box]:
        """A box for each tensor that comes from outside."""
        given = set(self.trace.inputs)
        return [
            Box(
                id=f"input/{t}",
                kind="input",
                text="input" if t in given else "previous layer",
                size=self.found.size(t),
            )
            for t in self._outside()
        ]

    def from_outside(self) -> tuple[Edge, ...]:
        """Edges from the inputs of a module."""
        return tuple(
            Edge(f"input/{t}", self.ids[name], self.found.size(t))
            for t, readers in self._outside().items()
            for name in dict.fromkeys(readers)
        )

    def root(self, inputs: Sequence[Box]) -> Part:
        """The part of the whole, with the inputs before it."""
        found = _named(self.nested.root, self.ids) or Part("chain")
        if not inputs:
            return found
        boxes = tuple(Part("box", b.id) for b in inputs)
        first = boxes[0] if len(boxes) == 1 else Part("row", children=boxes)
        rest = found.children if found.kind == "chain" else (found,)
        return Part("chain", children=(first, *rest))


def _named(part: Part, ids: Mapping[str, str]) -> Part | None:
    """With the ids of boxes; without what is not drawn."""
    if part.kind == "box":
        return replace(part, box=ids[part.box]) if part.box in ids else None
    children = tuple(c for c in (_named(c, ids) for c in part.children) if c)
    if not children:
        return None
    if len(children) == 1 and part.kind in ("chain", "row", "layers"):
        return children[0]
    return replace(part, children=children)
