"""From a trace to its diagram: what is asked for, checked; boxes with costs and names; notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ...cost import Convention, total
from ...cost.roles import is_weight
from ...graph import layer_graph
from ...sources import suggestion
from ...tables import choose_convention, table
from ...tables.result import Row
from ...trace.cached import once_per_trace
from ...trace.record import Trace
from .result import STYLES, Box, Diagram, Edge, Part
from .tree import Group, Tree, tree
from .units import Units, units

_LEVELS = 4  # of a module, where they fit a page
_PAGE = 120  # boxes that a page shows
LIMIT = 1500  # boxes; a diagram of more is drawn at a smaller depth


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
    or is not laid out in time when it is drawn.

    Raises ValueError for a negative depth, an unknown style or convention, or a module without
    layers."""
    if style not in STYLES:
        raise ValueError(f"unknown style {style!r}; choose {', '.join(STYLES)}")
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


def _opened(builder: _Builder) -> Diagram:
    """As many levels as a page shows, at least one."""
    found = builder.drawn(1)
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
            return found.reduced_from(depth, f"has more than {LIMIT:,} boxes")
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
    raise ValueError(f"no layer under module {module!r}{suggestion(module, paths - {''})}")


@dataclass(frozen=True)
class _Builder:
    """Makes the diagram of a trace, or of the layers `members` of it, at a depth."""

    trace: Trace
    style: str
    module: str | None
    members: frozenset[int] | None
    convention: Convention

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
        nested = tree(self.trace, found, depth, rolled, members)
        boxes = _Boxes(self.trace, found, nested, self.convention)
        made = boxes.made()
        edges, inputs = boxes.edges(), boxes.inputs() if members is not None else []
        root = boxes.root([b.id for b in inputs])
        macs = sum(b.macs for b in made)
        model = self.trace.provenance["model"]
        return Diagram(
            title=f"{model}: {self.module}" if self.module else model,
            boxes=(*inputs, *made),
            edges=(*boxes.from_outside(), *edges) if inputs else edges,
            root=root,
            macs=macs,
            scope="the module" if self.module else "the network",
            upward=self.module is not None,
            style=self.style,
            convention=self.convention,
            notes=(self._note(made, macs),),
            depth=depth,
        )

    def _note(self, boxes: Iterable[Box], macs: int) -> str:
        params = sum(b.params for b in boxes)
        kilo = self.convention.kilo
        kind = "params" if self.convention.bias else f"params (weights only, K = {kilo:,})"
        text = f"{params:,} {kind}, {macs:,} MACs (multiply-adds)"
        whole = total(self.trace)
        if self.module:
            share = macs / whole.macs if whole.macs else 0
            return f"{text}, {100 * share:.1f}% of the network's"
        inputs = ", ".join(shape for shape, _ in self.trace.provenance["inputs"])
        return f"{text} for input {inputs}, {whole.coverage}"


class _Boxes:
    """Boxes and edges of a tree."""

    def __init__(self, trace: Trace, found: Units, nested: Tree, convention: Convention):
        self.convention = convention
        self.trace, self.found, self.nested = trace, found, nested
        self.nodes = layer_graph(trace)
        self.rows = _rows_by_node(trace)
        self.order = [n for n in nested.root.boxes() if n in nested.groups]
        self.owner = {u: name for name, g in nested.groups.items() for u in g.units}
        self.ids = self._ids()
        self.seconds = _seconds(trace)

    # --- boxes ---

    def made(self) -> list[Box]:
        """In order of execution; each param in the first box that uses it."""
        used: set[int] = set()
        by_start = sorted(self.order, key=lambda n: min(self.nested.groups[n].units))
        return [self._box(name, self.nested.groups[name], used) for name in by_start]

    def _box(self, name: str, group: Group, used: set[int]) -> Box:
        members = [self.found.all[u] for u in group.units]
        ops = [op for unit in members for op in unit.ops]
        fresh = {p for op in ops for p in op.params} - used
        used |= fresh
        first, last = members[0], self._last(group)
        nodes = tuple(dict.fromkeys(n for unit in members for n in unit.nodes))
        single = group.block is None
        return Box(
            id=self.ids[name],
            kind=first.kind if single else "block",
            text=first.text if single else self._title(group),
            size=self.found.size(last.tensor),
            params=sum(self._elements(p) for p in fresh),
            macs=total(self.trace, ops).macs,
            times=group.times,
            steps=first.steps if single else 1,
            seconds=self.seconds(ops) if ops else None,
            inside=", ".join(first.inside) if single else self._inside(members),
            nodes=nodes if first.kind not in ("input", "output") else (),
            units=tuple(group.units),
        )

    def _elements(self, param: int) -> int:
        """Of a param, as far as the convention counts it."""
        counts = self.convention.bias or is_weight(self.trace, param)
        return self.trace.params[param].numel if counts else 0

    def _last(self, group: Group):
        """The unit whose output is the box's: in the order of execution the last one that another
        box reads."""
        mine = set(group.units)
        alone = group.block is None
        read = [u for u in group.units if self.found.readers[u] - mine]
        chosen = group.units[0] if alone else max(read or group.units)
        return self.found.all[chosen]

    def _title(self, group: Group) -> str:
        """The name of a closed block: that of its row in the table, or its module's."""
        assert group.block is not None, "a layer has its own text"
        nodes = set(group.block.nodes)
        row = self.rows.get(min(nodes))
        if row and set(row.nodes) & set(range(len(self.nodes))) == nodes:
            return row.name
        end = self.nodes[max(nodes)].op
        path = group.block.path
        own = path and end is not None and end.module == path  # its module runs its last operation
        word = end.module_type if own and end else _WORDS.get(group.block.kind, "")
        return ": ".join(filter(None, (_short(path), word))) or "block"

    def _inside(self, members) -> str:
        layers = [u for u in members if u.kind not in ("join", "cat", "activation", "norm")]
        return f"{len(layers)} layers"

    def _ids(self) -> dict[str, str]:
        """The id of the row in the table that a box is of; a further box of it adds its number."""
        ids: dict[str, str] = {}
        taken: set[str] = set()
        for name in self.order:
            group = self.nested.groups[name]
            unit = self.found.all[group.units[0]]
            node = group.block.nodes[0] if group.block else unit.nodes[0]
            row = self.rows.get(node) if unit.kind not in ("input", "output") else None
            base = row.id if row else unit.kind
            ids[name] = f"{base}/{name}" if base in taken or not row else base
            taken.add(base)
        return ids

    # --- edges ---

    def edges(self) -> tuple[Edge, ...]:
        """Each pair of boxes once, with the tensor that goes between them."""
        found: dict[tuple[str, str], int] = {}
        place = {name: i for i, name in enumerate(self.order)}
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

    # --- what a module reads ---

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

    def root(self, inputs: list[str]) -> Part:
        """The part of the whole, with the inputs before it."""
        found = _named(self.nested.root, self.ids) or Part("chain")
        if not inputs:
            return found
        boxes = tuple(Part("box", i) for i in inputs)
        first = boxes[0] if len(boxes) == 1 else Part("row", children=boxes)
        rest = found.children if found.kind == "chain" else (found,)
        return Part("chain", children=(first, *rest))


def _short(path: str) -> str:
    """The end of a long module path, from its last name on."""
    parts = path.split(".")
    named = [i for i, part in enumerate(parts) if not part.isdigit()]
    return path if len(path) <= _PATH or not named else ".".join(parts[named[-1] :])


_PATH = 22  # letters of a module path in a box
_WORDS = {"residual": "residual block", "attention": "attention", "concat": "branches"}


def _named(part: Part, ids: dict[str, str]) -> Part | None:
    """With the ids of boxes; without what is not drawn."""
    if part.kind == "box":
        return replace(part, box=ids[part.box]) if part.box in ids else None
    children = tuple(c for c in (_named(c, ids) for c in part.children) if c)
    if not children:
        return None
    if len(children) == 1 and part.kind in ("chain", "row", "layers"):
        return children[0]
    return replace(part, children=children)


@once_per_trace
def _rows_by_node(trace: Trace) -> dict[int, Row]:
    """The table's row of each layer."""
    rows = table(trace, "auto", "macs", merge=False).rows
    return {n: row for row in rows for n in row.nodes}


def _seconds(trace: Trace) -> Callable[[Iterable], float | None]:
    """Seconds of operations as measured in place."""
    if not trace.measured:
        return lambda ops: None
    order = {id(op): i for i, op in enumerate(trace.ops)}
    spent: dict[int, float] = {}
    for timed in trace.measured.ops:
        spent[timed.of] = spent.get(timed.of, 0.0) + timed.seconds
    return lambda ops: sum(spent.get(order[id(op)], 0.0) for op in ops)
