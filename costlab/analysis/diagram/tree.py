"""How the boxes nest: the partition of a trace, opened to a depth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from math import prod

from ...graph.blocks import Block, partition
from ...graph import Node, layer_graph
from ...trace.record import Trace
from .result import Part
from .units import Units

_FORKS = ("residual", "sum", "concat", "gate", "attention", "join", "split")


@dataclass
class Group:
    """The units of one box. Where `times` alike blocks are drawn as one, those of all of them."""

    units: list[int]
    block: Block | None = None
    times: int = 1


@dataclass
class Tree:
    """A part, and the units of each of its boxes by the box's name in the part."""

    root: Part
    groups: dict[str, Group]
    passed: dict[int, int] = field(default_factory=dict)


def tree(
    trace: Trace, found: Units, depth: int, rolled: bool, members: frozenset[int] | None = None
) -> Tree:
    """The partition of a trace as parts, blocks opened to `depth`.

    Args:
        rolled: alike blocks in a row are one.
        members: only these layers (indices of the layer graph), None: all.
    """
    builder = _Builder(trace, found, rolled, members)
    return builder.whole(partition(trace), depth)


class _Builder:
    """Turns blocks into parts. `pending` holds units that are placed with what reads them: a norm
    before a branch, an input of one tower."""

    def __init__(self, trace: Trace, found: Units, rolled: bool, members: frozenset[int] | None):
        self.trace, self.found, self.rolled = trace, found, rolled
        self.nodes, self.members = layer_graph(trace), members
        self.groups: dict[str, Group] = {}
        self.placed: set[int] = set()
        self.pending: list[int] = []
        self.passed: dict[int, int] = {}

    def whole(self, block: Block, depth: int) -> Tree:
        """All of it, with the outputs at the end."""
        items = self._micro_networks([*self._items(block, depth), *self._flush()])
        left = [u.index for u in self.found.all if self._open(u.index) and u.ops]
        items += [self._box([u]) for u in left if u not in self.placed]
        return Tree(_chain(items), self.groups, self.passed)

    # --- micro networks ---

    def _micro_networks(self, items: list[Part]) -> list[Part]:
        """The layers of an mlpconv (Lin et al. 2013, Figure 1) in a frame: a convolution and two or
        more of 1x1 after it that are all of the convolutions of one module."""
        found: list[Part] = []
        while items:
            size = self._micro_network(items)
            if size:
                found.append(Part("frame", children=(_chain(items[:size]),), label="mlpconv"))
            else:
                found.append(items[0])
            items = items[max(size, 1) :]
        return found

    def _micro_network(self, items: Sequence[Part]) -> int:
        """How many of the first parts are one mlpconv; 0: none."""
        first = self._convolution(items[0])
        if first is None or first.pointwise or first.groups > 1:
            return 0
        others = takewhile(
            lambda n: n is not None and n.pointwise, map(self._convolution, items[1:])
        )
        nodes = [first, *(n for n in others if n)]
        for size in range(len(nodes), 2, -1):
            run = nodes[:size]
            path = _common_path([n.op.module for n in run if n.op])
            own = [
                n for n in self.nodes if n.kind == "conv" and n.op and _within(n.op.module, path)
            ]
            if path and len(own) == size:
                return size
        return 0

    def _convolution(self, part: Part) -> Node | None:
        """The convolution that a box stands for; None for any other part."""
        group = self.groups.get(part.box)
        if group is None or group.block is not None:
            return None
        node = self.nodes[self.found.all[group.units[0]].nodes[0]]
        return (
            node if node.kind == "conv" and self.found.all[group.units[0]].kind == "conv" else None
        )

    def _open(self, unit: int) -> bool:
        """Whether a unit is asked for and not placed yet."""
        nodes = self.found.all[unit].nodes
        asked = self.members is None or any(n in self.members for n in nodes)
        return asked and unit not in self.placed

    # --- boxes ---

    def _box(self, units: Iterable[int], block: Block | None = None, times: int = 1) -> Part:
        group = Group(list(units), block, times)
        self.placed.update(group.units)
        name = str(group.units[0])
        self.groups[name] = group
        return Part("box", name)

    def _flush(self, kept: Sequence[int] = ()) -> list[Part]:
        """Boxes for the units that wait; several inputs stand beside each other."""
        waiting = [u for u in self.pending if self._open(u) and u not in kept]
        self.pending = list(kept)
        boxes = [self._box([u]) for u in waiting]
        if len(boxes) > 1 and all(self.found.all[u].kind == "input" for u in waiting):
            return [Part("row", children=tuple(boxes))]
        return [*boxes, *self._ends(waiting)]

    def _units(self, block: Block) -> list[int]:
        """Units of a block that are not placed yet, without the norms that the next one reads."""
        nodes = [n for n in block.nodes if self.members is None or n in self.members]
        found = dict.fromkeys(u for n in nodes for u in self.found.of_node[n])
        return [u for u in found if self._open(u) and self.found.all[u].kind != "output"]

    def _own(self, block: Block) -> tuple[list[int], list[int]]:
        """The units of a block, and those after its last layer that not all of its readers read:
        they belong to the branch that reads them."""
        units = self._units(block)
        last = set(self.found.of_node[block.nodes[-1]])
        for i, u in enumerate(units):
            rest = set(units[i + 1 :])
            if u in last and rest and rest <= last and self._passes(u, rest):
                return units[: i + 1], units[i + 1 :]
        return units, []

    def _passes(self, unit: int, rest: set[int]) -> bool:
        """Whether a unit is read by what comes after the `rest` of its layer."""
        readers = self.found.readers[unit]
        return bool(readers & rest) and bool(readers - rest)

    # --- blocks ---

    def _items(self, block: Block, depth: int) -> list[Part]:
        """The parts in a row that a block becomes."""
        if not any(self._open(u) for n in block.nodes for u in self.found.of_node[n]):
            return []
        if self.members is not None and not self.members & set(block.nodes):
            return []
        if block.kind == "chain":
            return self._in_a_row(block.children, depth)
        if block.kind == "repeat":
            return self._repeat(block, depth)
        if block.kind == "layer":
            return self._layer(block)
        free = self._always_open(block)
        if depth < 1 and not free:
            return self._closed(block)
        inner = depth if free else depth - 1
        return self._fork(block, inner) if block.kind in _FORKS else self._tangle(block, inner)

    def _always_open(self, block: Block) -> bool:
        """Blocks that are opened with what they are in: those that a module is a part of, levels
        of a U-Net, loops over time, towers with inputs or outputs of their own, dense blocks, and
        concats inside concats."""
        if self.members is not None and not set(block.nodes) <= self.members:
            return True
        units = [self.found.all[u] for n in block.nodes for u in self.found.of_node[n]]
        loops = any(u.kind == "recurrent" for u in units)
        inputs = {u for u in self.pending if self.found.all[u].kind == "input"}
        towers = (len(inputs) > 1 and block.kind != "tangle") or block.kind == "split"
        dense = block.kind == "tangle" and self._is_dense(block)
        return self._goes_down(block) or loops or towers or dense or self._within_concat(block)

    def _is_dense(self, block: Block) -> bool:
        groups = self._siblings(block)
        return len(groups) > 2 and self._alike(groups)

    def _within_concat(self, block: Block) -> bool:
        """Whether only another concat reads a concat."""
        if block.kind != "concat":
            return False
        end = self.found.of_node[block.nodes[-1]][-1]
        readers = [self.found.all[u] for u in self.found.readers[end]]
        return self.found.all[end].kind == "cat" and [u.kind for u in readers] == ["cat"]

    def _in_a_row(self, blocks: Sequence[Block], depth: int) -> list[Part]:
        items: list[Part] = []
        for i, block in enumerate(blocks):
            if self._goes_down(block) and block.children[:-1]:
                return self._u(items, block, blocks[i + 1 :], depth)
            items += self._items(block, depth)
        return items

    def _layer(self, block: Block) -> list[Part]:
        if block.nodes[0] == 0:
            self.pending += [u for u in self.found.of_node[0] if self._open(u)]
            return self._first()
        units, later = self._own(block)
        found = [*self._flush(), *(self._box([u]) for u in units), *self._ends(units)]
        self.pending += later
        return found

    def _first(self) -> list[Part]:
        """The inputs; several wait for what reads them."""
        inputs = [u for u in self.pending if self.found.all[u].kind == "input"]
        return self._flush() if len(inputs) == 1 else []

    def _ends(self, units: Iterable[int]) -> list[Part]:
        """Outputs of the network right after what makes them."""
        readers = dict.fromkeys(r for u in units for r in sorted(self.found.readers[u]))
        outputs = [r for r in readers if self.found.all[r].kind == "output" and self._open(r)]
        boxes = [self._box([u]) for u in outputs]
        return boxes if len(boxes) < 2 else [Part("row", children=tuple(boxes))]

    def _closed(self, block: Block, times: int = 1) -> list[Part]:
        waiting = [u for u in self.pending if self._open(u)]
        inputs = [u for u in waiting if self.found.all[u].kind == "input"]
        units, later = self._own(block)
        self.pending = inputs
        before = self._flush()
        inside = [*(u for u in waiting if u not in inputs), *units]
        if not inside:
            return before
        box = self._box(inside, block if len(units) > 1 else None, times)
        self.pending += later
        return [*before, box, *self._ends(units)]

    def _repeat(self, block: Block, depth: int) -> list[Part]:
        if not self.rolled and depth:
            return self._in_a_row(block.children, depth)
        if not depth:
            return self._closed(block, block.times)
        return self._rolled(block, depth)

    def _rolled(self, block: Block, depth: int) -> list[Part]:
        """The first of alike blocks, framed, with the costs of all; a first one that has a
        projection stands before them."""
        children = list(block.children)
        alone: list[Part] = []
        if len(self._units(children[0])) != len(self._units(children[-1])) or _stage_starts(
            children, self.nodes
        ):
            alone = self._items(children.pop(0), depth)
        if len(children) < 2:
            return [*alone, *self._in_a_row(children, depth)]
        before = len(self.groups)
        shown = self._items(children[0], depth)
        mine = list(self.groups.values())[before:]
        after: list[Part] = []
        for other in children[1:]:
            after += self._add_alike(mine, other, depth)
        frame = Part("frame", children=(_chain(shown),), label=f"x {len(children)}")
        return [*alone, frame, *after]

    def _add_alike(self, groups: list[Group], block: Block, depth: int) -> list[Part]:
        """Adds the units of another alike block to those of the one that is drawn; boxes for what
        follows the last one alone (the norm at the end of a transformer)."""
        known = dict(self.groups)
        self._items(block, depth)
        others = [g for name, g in self.groups.items() if name not in known]
        self.groups = known
        for group, other in zip(groups, others, strict=False):
            group.units += other.units
        return [self._box(g.units) for g in others[len(groups) :]]

    # --- branches ---

    def _fork(self, block: Block, depth: int) -> list[Part]:
        """Branches beside each other, and where they meet."""
        branches = list(block.branches)
        before = self._before(branches)
        rows = []
        waiting = self.pending
        for branch in branches:
            self.pending = [u for u in waiting if self._reads(branch, u)]
            rows.append(self._items(branch, depth))
            rows[-1] += self._flush()
        self.pending = []
        parts = [_chain(items) for items in rows if items]
        row = [Part("row", children=tuple(parts))] if len(parts) > 1 else parts
        if block.kind == "split":
            return [*before, *row]
        end = block.children[-1]
        self._open_concats(block, end)
        units, later = self._own(end)
        row += [*(self._box([u]) for u in units), *self._ends(units)]
        self.pending += later
        return [*before, *row]

    def _before(self, branches: Sequence[Block]) -> list[Part]:
        """What waits and is not read by one branch alone comes before the fork."""
        kept = [u for u in self.pending if sum(self._reads(b, u) for b in branches) == 1]
        return self._flush(kept)

    def _reads(self, block: Block, unit: int) -> bool:
        readers = self._all_readers(unit)
        return any(u in readers for n in block.nodes for u in self.found.of_node[n])

    def _all_readers(self, unit: int) -> set[int]:
        """Units that read one, and those that read what waits after it."""
        found = set(self.found.readers[unit])
        for u in self.pending:
            if u in found:
                found |= self.found.readers[u]
        return found

    def _open_concats(self, block: Block, end: Block) -> None:
        """A concat that only another one reads is none of its own: the papers do not draw it."""
        if block.kind != "concat":
            return
        outer = self.found.of_node[end.nodes[0]][0]
        for u in sorted(self.placed):
            unit = self.found.all[u]
            name = str(u)
            alone = name in self.groups and self.groups[name].units == [u]
            if unit.kind == "cat" and alone and self.found.readers[u] == {outer}:
                self.passed[u] = outer
                del self.groups[name]

    # --- other shapes ---

    def _goes_down(self, block: Block) -> bool:
        """Whether a block halves the grid, comes up again and meets what it began with, as the
        levels of a U-Net do."""
        if block.kind not in ("concat", "sum", "residual") or not block.skip:
            return False
        branches = block.branches
        if len(branches) != 1 or branches[0].kind != "chain":
            return False
        grids = [self.nodes[b.nodes[-1]].layout.grid for b in branches[0].children]
        whole = self.nodes[block.nodes[-1]].layout.grid
        low = [g for g in grids if len(g) == len(whole) > 0 and prod(g) < prod(whole)]
        return bool(low)

    def _u(self, left: list[Part], block: Block, after: Sequence[Block], depth: int) -> list[Part]:
        """A level of a U: what goes down, what is below, what comes up."""
        left += self._flush()
        inner = self._items(block.branches[0], depth)
        inner += self._flush()
        right = self._items(block.children[-1], depth)
        right += self._in_a_row(after, depth)
        level = (_chain(left), _chain(inner), _chain(right))
        return [Part("u", children=level)]

    def _tangle(self, block: Block, depth: int) -> list[Part]:
        """Layers without a structure, or the alike parts of a dense block once."""
        before = self._flush()
        if self._is_dense(block):
            return [*before, self._dense(self._siblings(block))]
        units = self._units(block)
        parts = tuple(self._box([u]) for u in units)
        return [*before, Part("layers", children=parts)] if len(parts) > 1 else [*before, *parts]

    def _siblings(self, block: Block) -> list[list[int]]:
        """The units of a tangle by the module that they are in."""
        deep = block.path.count(".") + 2 if block.path else 1
        found: dict[str, list[int]] = {}
        for n in block.nodes:
            op = self.nodes[n].op
            path = ".".join(op.module.split(".")[:deep]) if op else ""
            found.setdefault(path, []).extend(u for u in self.found.of_node[n] if self._open(u))
        return [list(dict.fromkeys(units)) for units in found.values() if units]

    def _alike(self, groups: list[list[int]]) -> bool:
        words = [[self.found.all[u].text for u in g] for g in groups]
        return all(len(set(g)) >= 2 for g in words) and all(g == words[-1] for g in words[1:])

    def _dense(self, groups: list[list[int]]) -> Part:
        """The second of alike groups with the costs of all of them; the first lacks the concat."""
        shown = groups[-1]
        texts = [self.found.all[u].text for u in shown]
        boxes = []
        for k, u in enumerate(shown):
            alike = [g[i] for g in groups for i in _places(g, texts, k, self.found)]
            box = self._box([u])
            group = self.groups[box.box]
            group.units = [u, *(a for a in alike if a != u)]
            self.placed.update(group.units)
            boxes.append(box)
        label = f"x {len(groups)}, dense"
        return Part("frame", children=(_chain(boxes),), label=label)


def _places(group: list[int], texts: list[str], k: int, found: Units) -> list[int]:
    """Where the k-th of `texts` is in a group that may lack the first ones."""
    i = k - (len(texts) - len(group))
    return [i] if i >= 0 else []


def _common_path(modules: Sequence[str]) -> str:
    """The module path that all of these are under; "" for none."""
    split = [m.split(".") for m in modules]
    same = takewhile(lambda names: len(set(names)) == 1, zip(*split, strict=False))
    return ".".join(names[0] for names in same)


def _within(module: str, path: str) -> bool:
    return f"{module}.".startswith(f"{path}.")


def _stage_starts(children: list[Block], nodes) -> bool:
    """Whether the first of alike blocks has another stride than the rest."""
    strides = [[nodes[n].stride for n in c.nodes] for c in children[:2]]
    return strides[0] != strides[1]


def _chain(items: Sequence[Part]) -> Part:
    flat: list[Part] = []
    for item in items:
        flat += item.children if item.kind == "chain" else [item]
    return flat[0] if len(flat) == 1 else Part("chain", children=tuple(flat))
