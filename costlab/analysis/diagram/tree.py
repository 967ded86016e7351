"""How the boxes nest: the partition of a trace, opened to a depth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...graph.blocks import Block
from . import mlpconv
from .cells import cells, in_a_loop
from .placement import Group, Placement
from .result import Box, Part, chain
from .shapes import FORKS, always_open, cut_between_us, dense_parts, goes_down, stage_starts
from .units import Units


@dataclass
class Tree:
    """A part, and the units of each of its boxes by the box's name in the part. `passed`: inner
    concats that are not drawn, each with the one that reads it."""

    root: Part
    groups: dict[str, Group]
    passed: dict[int, int] = field(default_factory=dict)


def tree(
    found: Units,
    root: Block,
    depth: int,
    rolled: bool,
    members: frozenset[int] | None = None,
    opened: Box | None = None,
) -> Tree:
    """The partition of a trace as parts, blocks opened to `depth`.

    Args:
        root: of the partition.
        rolled: alike blocks in a row are one.
        members: only these layers (indices of the layer graph), None: all.
        opened: a block of the same tree that is opened one level further, in a frame.
    """
    placement = Placement(found, members)
    items = _Opener(placement, rolled, opened).items(root, depth)
    items = mlpconv.framed([*items, *placement.flush()], placement)
    items += [placement.box([u]) for u in placement.left()]
    return Tree(chain(items), placement.groups, placement.passed)


class _Opener:
    """Turns blocks into parts in a row, each kind of block by a method of its own."""

    def __init__(self, placement: Placement, rolled: bool, opened: Box | None):
        self.placement, self.rolled = placement, rolled
        self.opened = opened  # None again when it is

    def items(self, block: Block, depth: int) -> list[Part]:
        """The parts in a row that a block becomes."""
        if not any(self.placement.open(u) for u in self.placement.all_of(block)):
            return []
        members = self.placement.members
        if members is not None and members.isdisjoint(block.nodes):
            return []
        if block.kind == "chain":
            return self._in_a_row(block.children, depth)
        if block.kind == "repeat":
            return self._repeat(block, depth)
        if block.kind == "layer":
            return self._layer(block)
        if in_a_loop(self.placement, block):
            return self._loop(block, depth)
        free = always_open(self.placement, block)
        if depth < 1 and not free:
            return self._framed(block) if self._is_asked(block) else self._closed(block)
        inner = depth if free else depth - 1
        return self._fork(block, inner) if block.kind in FORKS else self._tangle(block)

    def _in_a_row(self, blocks: Sequence[Block], depth: int) -> list[Part]:
        parts = cut_between_us(self.placement.nodes, blocks)
        return [item for part in parts for item in self._up_to_a_u(part, depth)]

    def _up_to_a_u(self, blocks: Sequence[Block], depth: int) -> list[Part]:
        """Blocks in a row; the first level of a U among them takes all that is before and after."""
        items: list[Part] = []
        for i, block in enumerate(blocks):
            if goes_down(self.placement.nodes, block) and block.children[:-1]:
                return self._u(items, block, blocks[i + 1 :], depth)
            part = self._module if block.kind == "chain" else self.items
            items += part(block, depth)
        return items

    def _module(self, block: Block, depth: int) -> list[Part]:
        """Layers in a row that are one module, beside the residual blocks of the network."""
        if in_a_loop(self.placement, block) or always_open(self.placement, block):
            return self.items(block, depth)
        if depth:
            return self.items(block, depth - 1)
        return self._framed(block) if self._is_asked(block) else self._closed(block)

    def _layer(self, block: Block) -> list[Part]:
        if block.nodes[0] == 0:
            return self._inputs()
        units, later = self.placement.own(block)
        found = [*self.placement.flush(), *self.placement.boxes(units)]
        self.placement.pending += later
        return found

    def _inputs(self) -> list[Part]:
        """The inputs; several wait for what reads them."""
        first = self.placement.found.of_node[0]
        self.placement.pending += [u for u in first if self.placement.open(u)]
        return self.placement.flush() if len(self.placement.waiting_inputs()) == 1 else []

    def _closed(self, block: Block, times: int = 1) -> list[Part]:
        """One box for a block, and for what waits before it, inputs apart."""
        waiting = [u for u in self.placement.pending if self.placement.open(u)]
        inputs = [u for u in self.placement.waiting_inputs() if u in waiting]
        units, later = self.placement.own(block)
        self.placement.pending = inputs
        before = self.placement.flush()
        inside = [*(u for u in waiting if u not in inputs), *units]
        if not inside:
            return before
        # the steps of a recurrent layer are alike blocks, and one unit
        alike = times if len(units) >= times else 1
        box = self.placement.box(inside, block if len(units) > 1 else None, alike)
        self.placement.pending += later
        return [*before, box, *self.placement.ends(units)]

    # --- a block that is opened alone ---

    def _is_asked(self, block: Block) -> bool:
        """Whether this is the block to be opened: it ends with the same layer."""
        return self.opened is not None and max(self.opened.nodes) == block.nodes[-1]

    def _framed(self, block: Block) -> list[Part]:
        """The block opened one level, in a frame with its name; what comes before and after it
        beside the frame."""
        asked, self.opened = self.opened, None
        assert asked is not None, "only the block that is asked for is framed"
        mine = set(self.placement.open_of(block))
        items = self.items(block, 1)
        inside = [part for part in items if not mine.isdisjoint(self.placement.units_in(part))]
        start = items.index(inside[0])
        frame = Part("frame", asked.id, (chain(inside),), asked.text)
        return [*items[:start], frame, *items[start + len(inside) :]]

    # --- alike blocks in a row ---

    def _repeat(self, block: Block, depth: int) -> list[Part]:
        if not self.rolled and depth:
            return self._in_a_row(block.children, depth)
        if not depth and self._is_asked(block):
            return self._framed(block)
        if not depth:
            return self._closed(block, block.times)
        return self._one_of_alike(block, depth)

    def _one_of_alike(self, block: Block, depth: int) -> list[Part]:
        """The first of alike blocks, framed, with the costs of all; a first one that has a
        projection stands before them."""
        children = list(block.children)
        alone: list[Part] = []
        if self._first_differs(children):
            alone = self.items(children.pop(0), depth)
        if len(children) < 2:
            return [*alone, *self._in_a_row(children, depth)]
        before = len(self.placement.groups)
        shown = self.items(children[0], depth)
        names = list(self.placement.groups)[before:]
        after: list[Part] = []
        for other in children[1:]:
            after += self._add_alike(names, other, depth)
        frame = Part("frame", children=(chain(shown),), label=f"x {len(children)}")
        return [*alone, frame, *after]

    def _first_differs(self, alike: Sequence[Block]) -> bool:
        """Whether the first of alike blocks has a projection, or another stride."""
        first, second, *more = (len(self.placement.open_of(block)) for block in alike)
        # a norm after the last one is a layer of it
        differs = first != second if more else first > second
        return differs or stage_starts(self.placement.nodes, alike)

    def _add_alike(self, names: Sequence[str], block: Block, depth: int) -> list[Part]:
        """Adds the units of another alike block to those of the boxes that are drawn; boxes for
        what follows the last one alone (the norm at the end of a transformer)."""
        groups = self.placement.groups
        known = set(groups)
        self.items(block, depth)
        others = [groups.pop(name) for name in list(groups) if name not in known]
        for name, other in zip(names, others, strict=False):
            self.placement.extend(name, other.units)
        return [self.placement.box(g.units) for g in others[len(names) :]]

    # --- branches ---

    def _fork(self, block: Block, depth: int) -> list[Part]:
        """Branches beside each other, and where they meet."""
        before = self._before(block.branches)
        row = self._branches(block.branches, depth)
        if block.kind == "split":
            return [*before, *row]
        end = block.children[-1]
        if block.kind == "concat":
            self.placement.pass_inner_concats(end)
        units, later = self.placement.own(end)
        row += self.placement.boxes(units)
        self.placement.pending += later
        return [*before, *row]

    def _before(self, branches: Sequence[Block]) -> list[Part]:
        """What waits and is not read by one branch alone comes before the fork."""
        reads = self.placement.reads
        waiting = self.placement.pending
        return self.placement.flush([u for u in waiting if sum(reads(b, u) for b in branches) == 1])

    def _branches(self, branches: Iterable[Block], depth: int) -> list[Part]:
        """The branches in one row, each with what waits for it alone."""
        rows: list[list[Part]] = []
        waiting = self.placement.pending
        for branch in branches:
            self.placement.pending = [u for u in waiting if self.placement.reads(branch, u)]
            rows.append([*self.items(branch, depth), *self.placement.flush()])
        self.placement.pending = []
        parts = [chain(items) for items in rows if items]
        return [Part("row", children=tuple(parts))] if len(parts) > 1 else parts

    # --- other shapes ---

    def _u(self, left: list[Part], block: Block, after: Sequence[Block], depth: int) -> list[Part]:
        """A level of a U: what goes down, what is below, what comes up."""
        left += self.placement.flush()
        inner = self.items(block.branches[0], depth)
        inner += self.placement.flush()
        right = self.items(block.children[-1], depth)
        right += self._in_a_row(after, depth)
        return [Part("u", children=(chain(left), chain(inner), chain(right)))]

    def _tangle(self, block: Block) -> list[Part]:
        """Layers without a structure, or the alike parts of a dense block once."""
        before = self.placement.flush()
        alike = dense_parts(self.placement, block)
        if alike:
            return [*before, self._dense(alike)]
        parts = tuple(self.placement.box([u]) for u in self.placement.open_of(block))
        return [*before, Part("layers", children=parts)] if len(parts) > 1 else [*before, *parts]

    def _loop(self, block: Block, depth: int) -> list[Part]:
        """One step of a loop over time, which stands for all of them."""
        before = self.placement.flush()
        parts = cells(self.placement, block, depth)
        inside = Part("layers", children=tuple(parts)) if len(parts) > 1 else chain(parts)
        return [*before, inside, *self.placement.ends(self.placement.all_of(block))]

    def _dense(self, alike: Sequence[Sequence[int]]) -> Part:
        """The last of alike parts with the costs of all of them; the first lacks the concat, so
        they are the same from their ends."""
        shown = alike[-1]
        boxes: list[Part] = []
        for from_end, unit in zip(range(len(shown), 0, -1), shown, strict=True):
            box = self.placement.box([unit])
            self.placement.extend(box.box, (p[-from_end] for p in alike if len(p) >= from_end))
            boxes.append(box)
        label = f"x {len(alike)}, dense"
        return Part("frame", children=(chain(boxes),), label=label)
