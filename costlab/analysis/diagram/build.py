"""From a trace to its diagram: what is asked for, checked, and the depth that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ...cost import Convention, total
from ...graph import layer_graph
from ...graph.blocks import MOST, Block, condensed, condensed_within, partition
from ..._spelling import choice, suggestion
from ...tables import choose_convention, display_name, input_words, predicted_note
from ...trace.record import Trace
from . import notes
from .boxes import Boxes
from .edges import Edges
from .result import STYLES, Box, Diagram
from .tree import tree
from .units import units

_LEVELS = 4  # of a module, where they fit a page
_PAGE = 120  # boxes that a page shows
_LISTED = 8  # modules in a message
LIMIT = MOST  # boxes; a diagram of more is drawn at a smaller depth


def diagram(
    trace: Trace,
    depth: int | None = None,
    module: str | None = None,
    style: str = "auto",
    convention: str | Convention | None = None,
) -> Diagram:
    """The diagram of a trace.

    Args:
        depth: how many blocks inside one another are opened. 0: each block is one box; 1: its
            branches are drawn. None: 0, or 1 in the paper style; of a module what fits a page.
        module: only the layers under this module path ("": all), input at the bottom.
        style: "paper", one-line boxes as the papers draw them; "cost", with params, multiply-adds
            and a bar of the share; "auto": "paper" for a module, "cost" otherwise.
        convention: what params are; None takes that of the trace's table.

    A depth that gives more than `LIMIT` boxes is reduced, with a note; so is one that fits no page
    or is not laid out in time when it is drawn. Of a network, or of the module that is drawn, with
    more blocks in a row than that, those of one module are one box.

    Raises ValueError for a negative depth, an unknown style or convention, or a module without
    layers."""
    if style not in STYLES:
        raise ValueError(f"unknown style {style!r}{choice(style, STYLES)}")
    if depth is not None and depth < 0:
        raise ValueError(f"depth {depth}: choose 0 (blocks), 1 (their branches) or more")
    if style == "auto":
        style = "cost" if module is None else "paper"
    members = None if module is None else _members(trace, module)
    counted, _ = choose_convention(trace, convention)
    builder = _Builder(trace, style, module, members, counted)
    if depth is None and module is not None:
        return _opened(builder)
    return _within_limit(builder, (style == "paper") if depth is None else depth)


def with_open_block(trace: Trace, box: Box, convention: str | Convention | None = None) -> Diagram:
    """The network's diagram, as `diagram(trace)` gives it, with one of its blocks opened in a frame
    with the id and the name of its box.

    Raises ValueError for a box that is not a block."""
    if box.kind != "block":
        raise ValueError(f"{box.name} is not a block that can be opened")
    counted, _ = choose_convention(trace, convention)
    return _Builder(trace, "cost", None, None, counted, box).drawn(0)


def _opened(builder: _Builder) -> Diagram:
    """As many levels as a page shows, at least one where that has no more than `LIMIT` boxes."""
    found = builder.drawn(1)
    if len(found.boxes) > LIMIT:
        return _within_limit(builder, 1)
    for depth in range(2, _LEVELS + 1):
        more = builder.drawn(depth)
        if len((more.shorter or more).boxes) > _PAGE:
            break
        found = _over(found, more)
    return found


def _within_limit(builder: _Builder, depth: int) -> Diagram:
    """The depth that is asked for, with those below it; a smaller one, with a note, where it has
    too many boxes."""
    found = builder.drawn(0)
    for deeper in range(1, depth + 1):
        more = builder.drawn(deeper)
        if len(more.boxes) > LIMIT:
            return found.reduced_from(depth, notes.too_many_boxes(LIMIT))
        found = _over(found, more)
    return found


def _over(less: Diagram, more: Diagram) -> Diagram:
    """The deeper diagram, which collapses to the other one if that is smaller."""
    smaller = less if len(less.boxes) < len(more.boxes) else less.collapsed
    return replace(more, collapsed=smaller)


def _members(trace: Trace, module: str) -> frozenset[int]:
    """The layers under a module path. Raises ValueError where there is none."""
    prefix = f"{module}."
    found = [
        n.index
        for n in layer_graph(trace)
        if n.op and (not module or f"{n.op.module}.".startswith(prefix))
    ]
    if found:
        return frozenset(found)
    paths = {
        ".".join(op.module.split(".")[:i])
        for op in trace.forward
        for i in range(1, op.module.count(".") + 2)
    }
    near = suggestion(module, paths - {""})
    outermost = list(dict.fromkeys(op.module.split(".")[0] for op in trace.forward))
    more = ", ..." if len(outermost) > _LISTED else ""
    there = f"; there are {', '.join(filter(None, outermost[:_LISTED]))}{more}"
    raise ValueError(f"no layer under module {module!r}{near or there}")


@dataclass(frozen=True)
class _Builder:
    """Makes the diagram of a trace, or of the layers `members` of it, at a depth; `opened` is a
    block that is opened one level further."""

    trace: Trace
    style: str
    module: str | None
    members: frozenset[int] | None
    convention: Convention
    opened: Box | None = None

    def drawn(self, depth: int) -> Diagram:
        """In full, and with alike blocks as one where that is shorter."""
        full = self._one(depth, rolled=self.style == "cost" and self.module is None)
        if self.style == "cost" and self.module is None:
            return full
        rolled = self._one(depth, rolled=True)
        return replace(full, shorter=rolled) if len(rolled.boxes) < len(full.boxes) else full

    def _one(self, depth: int, rolled: bool) -> Diagram:
        found = units(self.trace)
        members = self.members if self.module else None
        nested = tree(found, self._root, depth, rolled, members, self.opened)
        boxes = Boxes(self.trace, found, nested, self.convention)
        edges = Edges(self.trace, found, nested, boxes.ids)
        drawn = boxes.in_order()
        inputs = edges.inputs() if members is not None else []
        from_inputs = edges.from_outside() if inputs else ()
        model = display_name(self.trace.provenance["model"])
        return Diagram(
            title=f"{model}: {self.module}" if self.module else model,
            boxes=(*inputs, *drawn),
            edges=(*from_inputs, *edges.between_boxes()),
            root=edges.root(inputs),
            macs=sum(b.macs for b in drawn),
            scope="the module" if self.module else "the network",
            upward=self.module is not None,
            style=self.style,
            convention=self.convention,
            notes=(*self._condensed(), self._totals(drawn), *self._times()),
            depth=depth,
        )

    def _times(self) -> tuple[str, ...]:
        """Where the predicted times are from; nothing in the paper style, which shows none."""
        return predicted_note(self.trace) if self.style == "cost" else ()

    def _condensed(self) -> tuple[str, ...]:
        """What is said where not every block in a row has a box of its own."""
        return () if self._root is partition(self.trace) else (notes.condensed(LIMIT),)

    @cached_property
    def _root(self) -> Block:
        """The partition of the trace, with a limited number of blocks in the row that is drawn."""
        if self.module and self.members:
            return condensed_within(self.trace, self.members)
        return condensed(self.trace)

    def _totals(self, boxes: Sequence[Box]) -> str:
        params, macs = sum(b.params for b in boxes), sum(b.macs for b in boxes)
        whole = total(self.trace)
        if self.module:
            share = macs / whole.macs if whole.macs else 0
            return notes.module_totals(params, macs, self.convention, share=share)
        inputs = input_words(self.trace, dtypes=False)
        return notes.network_totals(
            params, macs, self.convention, inputs=inputs, coverage=whole.coverage
        )
