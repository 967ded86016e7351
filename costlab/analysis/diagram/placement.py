"""Which units of a trace have a box by now, and which wait for what reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...graph import layer_graph
from ...graph.blocks import Block
from .result import Part
from .units import Units


@dataclass
class Group:
    """The units of one box. Where `times` alike blocks are drawn as one, those of all of them.
    `name`: of several units that are no block."""

    units: list[int]
    block: Block | None = None
    times: int = 1
    name: str = ""

    @property
    def alone(self) -> bool:
        """Whether it is one layer, which has a text of its own."""
        return self.block is None and not self.name


class Placement:
    """Boxes are made of units here, each unit in one box.

    Attributes:
        groups: the units of each box, by its name.
        placed: units that have a box.
        pending: units that are placed with what reads them: a norm before a branch, an input of
            one tower.
        passed: inner concats that are not drawn, each with the one that reads it.
    """

    def __init__(self, found: Units, members: frozenset[int] | None):
        self.found, self.nodes, self.members = found, layer_graph(found.trace), members
        self.groups: dict[str, Group] = {}
        self.placed: set[int] = set()
        self.pending: list[int] = []
        self.passed: dict[int, int] = {}

    def box(
        self, units: Iterable[int], block: Block | None = None, times: int = 1, name: str = ""
    ) -> Part:
        """A box of these units."""
        group = Group(list(units), block, times, name)
        self.placed.update(group.units)
        key = str(group.units[0])
        self.groups[key] = group
        return Part("box", key)

    def boxes(self, units: Iterable[int]) -> list[Part]:
        """A box for each of these units, and the outputs of the network that they make."""
        units = list(units)
        return [*(self.box([u]) for u in units), *self.ends(units)]

    def units_in(self, part: Part) -> set[int]:
        """The units of the boxes of a part that are drawn."""
        names = (name for name in part.boxes() if name in self.groups)
        return {unit for name in names for unit in self.groups[name].units}

    # --- what is not placed yet ---

    def open(self, unit: int) -> bool:
        """Whether a unit is asked for and not placed yet."""
        nodes = self.found.all[unit].nodes
        asked = self.members is None or any(n in self.members for n in nodes)
        return asked and unit not in self.placed

    def left(self) -> list[int]:
        """Units with operations that are not placed yet."""
        return [u.index for u in self.found.all if self.open(u.index) and u.ops]

    def all_of(self, block: Block) -> list[int]:
        """The units of a block, placed or not, once for each of its layers."""
        return [u for n in block.nodes for u in self.found.of_node[n]]

    def open_of(self, block: Block) -> list[int]:
        """Units of a block that are not placed yet, in order, without outputs of the network."""
        nodes = [n for n in block.nodes if self.members is None or n in self.members]
        found = dict.fromkeys(u for n in nodes for u in self.found.of_node[n])
        return [u for u in found if self.open(u) and self.found.all[u].kind != "output"]

    def own(self, block: Block) -> tuple[list[int], list[int]]:
        """The units of a block, and those after its last layer that not all of its readers read:
        they belong to the branch that reads them."""
        units = self.open_of(block)
        last = set(self.found.of_node[block.nodes[-1]])
        for i in range(max(0, len(units) - 1 - len(last)), len(units) - 1):
            rest = set(units[i + 1 :])
            if units[i] in last and rest <= last and self._passes(units[i], rest):
                return units[: i + 1], units[i + 1 :]
        return units, []

    def _passes(self, unit: int, rest: set[int]) -> bool:
        """Whether a unit is read by what comes after the `rest` of its layer."""
        readers = self.found.readers[unit]
        return bool(readers & rest) and bool(readers - rest)

    # --- what waits ---

    def flush(self, kept: Sequence[int] = ()) -> list[Part]:
        """Boxes for the units that wait; several inputs stand beside each other."""
        waiting = [u for u in self.pending if self.open(u) and u not in kept]
        self.pending = list(kept)
        if len(waiting) > 1 and all(self.found.all[u].kind == "input" for u in waiting):
            return [Part("row", children=tuple(self.box([u]) for u in waiting))]
        return self.boxes(waiting)

    def waiting_inputs(self) -> list[int]:
        """Inputs of the network among the units that wait."""
        return [u for u in self.pending if self.found.all[u].kind == "input"]

    def reads(self, block: Block, unit: int) -> bool:
        """Whether a block reads a unit, or what waits after it."""
        return not self._all_readers(unit).isdisjoint(self.all_of(block))

    def _all_readers(self, unit: int) -> set[int]:
        """Units that read one, and those that read what waits after it."""
        found = set(self.found.readers[unit])
        for u in self.pending:
            if u in found:
                found |= self.found.readers[u]
        return found

    def ends(self, units: Iterable[int]) -> list[Part]:
        """Outputs of the network right after what makes them."""
        readers = dict.fromkeys(r for u in units for r in sorted(self.found.readers[u]))
        outputs = [r for r in readers if self.found.all[r].kind == "output" and self.open(r)]
        boxes = [self.box([u]) for u in outputs]
        return boxes if len(boxes) < 2 else [Part("row", children=tuple(boxes))]

    # --- what has a box and loses it, or takes more units ---

    @cached_property
    def _read_by(self) -> dict[int, list[int]]:
        """The units that each unit reads, in order."""
        found: dict[int, list[int]] = {}
        for source, target in sorted(self.found.edges):
            found.setdefault(target, []).append(source)
        return found

    def pass_inner_concats(self, end: Block) -> None:
        """Takes the boxes of concats that only the concat at this end reads: the papers do not draw
        them."""
        outer = self.found.of_node[end.nodes[0]][0]
        for u in self._read_by.get(outer, ()):
            unit = self.found.all[u]
            name = str(u)
            alone = name in self.groups and self.groups[name].units == [u]
            if unit.kind == "cat" and alone and self.found.readers[u] == {outer}:
                self.passed[u] = outer
                del self.groups[name]

    def extend(self, name: str, units: Iterable[int]) -> None:
        """Further units for a box, which is drawn as the first one."""
        group = self.groups[name]
        fresh = [u for u in units if u not in self.placed or u not in group.units]
        group.units += fresh
        self.placed.update(fresh)
