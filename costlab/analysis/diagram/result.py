"""A block diagram as data: boxes with their costs, edges with their sizes, and how they nest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from ...cost import CONVENTIONS, Convention
from . import notes

STYLES = ("auto", "paper", "cost")


@dataclass(frozen=True)
class Box:
    """A layer, or a block that is not opened.

    Attributes:
        id: unique in its diagram; begins with the id of its row in the table.
        kind: what it is, which decides its colour: "conv", "max pool", "cat", "input", "block".
        text: what it is, in one line: "3x3 conv, 64, /2".
        size: of its output without the batch, "28x28x256".
        params: elements, each in the box that uses it first.
        macs: multiply-adds of all its repetitions.
        times: alike blocks in a row that it stands for.
        steps: time steps of a recurrent layer.
        seconds: measured in place; None where the trace is not measured.
        predicted: time by a profile, as it is shown: "1.23 ms (predicted)"; "" without a profile.
        inside: what runs in it and is not in its text ("batch norm, ReLU").
        nodes: its layers, as indices of the layer graph.
        units: what it draws, as numbers that are the same in every diagram of a trace.
        mark: "changed", "added" or "removed" beside another version; "" otherwise.
    """

    id: str
    kind: str
    text: str
    size: str
    params: int = 0
    macs: int = 0
    times: int = 1
    steps: int = 1
    seconds: float | None = None
    predicted: str = ""
    inside: str = ""
    nodes: tuple[int, ...] = ()
    units: tuple[int, ...] = ()
    mark: str = ""

    @property
    def name(self) -> str:
        """The text with how often it repeats."""
        again = f" x {self.times}" if self.times > 1 else ""
        return f"{self.text}{again}" + (f" x {self.steps} steps" if self.steps > 1 else "")


@dataclass(frozen=True)
class Edge:
    """A tensor that goes from one box to another; `size` without the batch."""

    source: str
    target: str
    size: str


@dataclass(frozen=True)
class Part:
    """How boxes nest.

    `kind`: "box"; "chain" (`children` one after the other); "row" (branches beside each other);
    "frame" (one child with a `label`; `box`: the id of the block that it opens);
    "u" (what goes down, the bottom or the U below, what comes up again; without a middle: only
    these two, level at their lower ends);
    "layers" (boxes without such a structure, in order of execution)."""

    kind: Literal["box", "chain", "row", "frame", "u", "layers"]
    box: str = ""
    children: tuple[Part, ...] = ()
    label: str = ""

    def boxes(self) -> Iterator[str]:
        """Ids of all boxes inside, in order."""
        if self.kind == "box":
            yield self.box
        for child in self.children:
            yield from child.boxes()


def chain(parts: Sequence[Part]) -> Part:
    """Parts one after the other, those of chains among them directly; one part is itself."""
    flat: list[Part] = []
    for part in parts:
        flat += part.children if part.kind == "chain" else [part]
    return flat[0] if len(flat) == 1 else Part("chain", children=tuple(flat))


@dataclass(frozen=True)
class Diagram:
    """A network or a module as it is drawn.

    Attributes:
        title: name of the model, and of the module.
        boxes: in order of execution.
        edges: each from a box to a later one.
        root: how the boxes nest.
        macs: of the whole that shares are of; `scope` names it ("the module").
        upward: the input is at the bottom, as the papers draw modules.
        style: "paper" or "cost".
        notes: totals, and what is not drawn.
        convention: what the params of the boxes are.
        shorter: the same with alike blocks as one, where this one is too large for a page.
        depth: how many blocks inside one another are opened.
        collapsed: the same at a smaller depth, where no page or no patience holds this one.
    """

    title: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    root: Part
    macs: int
    scope: str = "the network"
    upward: bool = False
    style: str = "cost"
    notes: tuple[str, ...] = ()
    convention: Convention = CONVENTIONS["macs"]
    shorter: Diagram | None = None
    depth: int = 0
    collapsed: Diagram | None = None

    def reduced_from(self, depth: int, why: str) -> Diagram:
        """With a note that this is drawn instead of one at `depth`, and why."""
        return replace(self, notes=(f"depth {depth} {why}: {self.reduced}", *self.notes))

    @property
    def reduced(self) -> str:
        """What is said where this depth is drawn instead of the one that was asked for."""
        return notes.reduced(self.depth)

    @property
    def own_macs(self) -> int:
        """Multiply-adds of all boxes; `macs` is more where it is of several diagrams."""
        return sum(b.macs for b in self.boxes)

    @property
    def params(self) -> int:
        """Elements of all boxes."""
        return sum(b.params for b in self.boxes)

    def share(self, box: Box) -> float:
        """The part of `macs` that a box takes, 0 to 1."""
        return box.macs / self.macs if self.macs else 0.0

    @cached_property
    def largest_share(self) -> float:
        """The share of the most expensive box."""
        return max(map(self.share, self.boxes), default=0.0)

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """The marks of its boxes, each once."""
        return tuple(dict.fromkeys(b.mark for b in self.boxes if b.mark))

    @property
    def alt(self) -> str:
        """Alternative text."""
        return notes.alt(self.title, [b.name for b in self.boxes], len(self.edges))
