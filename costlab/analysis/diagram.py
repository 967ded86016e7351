"""Block diagrams from the traced graph of any model: a network as blocks, or a module as the
papers draw it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..cost import CONVENTIONS, Convention, total
from ..graph import layer_graph
from ..tables import choose_convention, span, table
from ..trace import Trace

LIMIT = 400  # boxes; above it an expanded diagram is collapsed again
SHOWN = 4  # rewritten convolutions in one picture
READ = 33  # boxes that a page shows at full size: three columns
_DEPTHS = 8  # of modules, tried for a page
PAGE = 60  # boxes of a collapsed diagram; more are put together in groups


@dataclass(frozen=True)
class Box:
    """A block or a layer: `id` is the row id of the table (a layer adds its place), `kind` decides
    the colour, `lines` the text,
    `params` elements, `macs` multiply-adds, `share` of the whole network's MACs (0 to 1), `group`
    a frame's id, `times` repeats, `seconds` measured
    in place (None: not measured), `nodes` its layers as indices of the layer graph."""

    id: str
    kind: str
    lines: tuple[str, ...]
    params: int
    macs: int
    share: float
    group: str = ""
    times: int = 1
    seconds: float | None = None
    nodes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Diagram:
    """Boxes and edges (by box id), in order of execution. `upward`: the input at the bottom, as
    the papers draw modules; `convention`: what the params of the boxes are."""

    title: str
    boxes: tuple[Box, ...]
    edges: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...] = ()
    upward: bool = False
    notes: tuple[str, ...] = ()
    convention: Convention = CONVENTIONS["macs"]

    @property
    def alt(self) -> str:
        """Alternative text."""
        names = ", ".join(
            b.lines[0] + (f" times {b.times}" if b.times > 1 else "") for b in self.boxes[:40]
        )
        return (
            f"Block diagram of {self.title}: {len(self.boxes)} boxes and {len(self.edges)} "
            f"edges: {names}{', ...' if len(self.boxes) > 40 else ''}"
        )


def _x(values):
    return "x".join(map(str, values))


def _layer(node) -> tuple[str, ...]:
    """The text of one layer: kernel and filters, stride and groups where they are not 1."""
    stride = (
        f"/{node.stride[0] if len(set(node.stride)) == 1 else _x(node.stride)}"
        if set(node.stride) - {1}
        else ""
    )
    if node.kind.endswith("conv"):
        word = "transposed conv" if node.kind != "conv" else "conv"
        groups = (
            ""
            if node.groups == 1
            else " depthwise"
            if node.groups == node.in_shape[1]
            else f" in {node.groups} groups"
        )
        return (f"{_x(node.kernel)} {word}{stride}{groups}", f"{node.width} filters")
    if node.kind.endswith("pool"):
        return (f"{_x(node.kernel)} {node.kind}{stride}", node.layout.size)
    name = {"cat": "filter concat", "join": _join(node), "product": "matrix product"}.get(
        node.kind, node.kind
    )
    return (name if node.kind != "linear" else f"linear {node.width}", node.layout.size)


def _join(node):
    return {"add": "+", "mul": "x"}.get(
        node.op.name.removeprefix("aten.").strip("_"), node.op.name.removeprefix("aten.")
    )


def _edges(owner, nodes):
    """Edges between boxes, each once, from the layer graph's."""
    found = {}
    for n in nodes:
        for p in n.preds:
            a, b = owner.get(p), owner.get(n.index)
            if a and b and a != b:
                found[a, b] = None
    return tuple(found)


def _collapsed(boxes, edges):
    """Runs of alike boxes in a chain become one, times how many; names may differ in their
    numbers."""

    def alike(box):
        name, colon, kind = box.lines[0].partition(": ")
        return (
            box.kind,
            (re.sub(r"\d+", "*", name) + colon + kind if colon else name, *box.lines[1:]),
            box.params,
            box.macs,
        )

    readers, feeders = {}, {}
    for a, b in edges:
        readers.setdefault(a, []).append(b)
        feeders.setdefault(b, []).append(a)
    runs: list[list[Box]] = []
    for box in boxes:
        run = runs[-1] if runs else []
        if (
            run
            and feeders.get(box.id) == [run[-1].id]
            and len(readers.get(run[-1].id, ())) == 1
            and alike(run[0]) == alike(box)
        ):
            run.append(box)
        else:
            runs.append([box])
    home = {b.id: run[0].id for run in runs for b in run}
    merged = dict.fromkeys((home[a], home[b]) for a, b in edges if home[a] != home[b])
    return tuple(_together(run) for run in runs), tuple(merged)


def _together(run):
    first, n = run[0], len(run)
    if n == 1:
        return first
    names = [b.lines[0].partition(": ") for b in run]
    name = f"{span([n for n, *_ in names])}: {names[0][2]}" if names[0][1] else first.lines[0]
    seconds = None if first.seconds is None else sum(b.seconds for b in run)
    return replace(
        first,
        lines=(name, *first.lines[1:]),
        params=sum(b.params for b in run),
        macs=n * first.macs,
        share=n * first.share,
        times=n,
        seconds=seconds,
        nodes=tuple(i for b in run for i in b.nodes),
    )


def _grouped(boxes, edges, count):
    """As many groups of consecutive boxes, each one box."""
    size = -(-len(boxes) // count)
    found, home = [], {}
    for i in range(0, len(boxes), size):
        part = boxes[i : i + size]
        first, last = part[0], part[-1]
        home |= {b.id: first.id for b in part}
        if len(part) == 1:
            found.append(first)
            continue
        lines = (
            f"{sum(b.times for b in part)} blocks",
            f"from {first.lines[0]}",
            f"to {last.lines[0]}",
            last.lines[-1],
        )
        seconds = None if first.seconds is None else sum(b.seconds for b in part)
        found.append(
            replace(
                first,
                lines=lines,
                params=sum(b.params for b in part),
                macs=sum(b.macs for b in part),
                share=sum(b.share for b in part),
                times=1,
                seconds=seconds,
                nodes=tuple(i for b in part for i in b.nodes),
            )
        )
    merged = dict.fromkeys((home[a], home[b]) for a, b in edges if home[a] != home[b])
    return tuple(found), tuple(merged)


def _whole(trace, nodes):
    return total(trace).macs or 1


def _layers(trace, nodes, ids, convention, group=lambda n: ""):
    whole = _whole(trace, nodes)
    boxes = []
    for n in nodes:
        t = total(trace, n.ops)
        params = convention.params(t)
        of = Box(ids[n.index], n.kind, _layer(n), params, t.macs, t.macs / whole)
        boxes.append(replace(of, group=group(n), nodes=(n.index,)))
    return boxes


def diagram(
    trace: Trace,
    depth: int = 0,
    module: str | None = None,
    style: str = "auto",
    convention: str | Convention | None = None,
) -> Diagram:
    """The diagram of a trace.

    Args:
        depth: 0: a box for every row of the table, alike ones in a row as one "x N"; 1: forks and
        residual blocks opened to their layers,
            a frame around each; more than LIMIT boxes are collapsed again, with a note.
        module: only the layers under this module path ("": all), opened, input at the bottom.
        convention: what params are; None takes that of the trace's table.

    Raises ValueError for a depth other than 0 or 1, an unknown style or convention, or a module
    without layers."""
    if depth not in (0, 1):
        raise ValueError(f"depth {depth}: choose 0 (blocks) or 1 (layers)")
    counted, _ = choose_convention(trace, convention)
    nodes = layer_graph(trace)
    title = trace.provenance["model"]
    if module is not None:
        return _module(trace, nodes, module, title, counted)
    notes = []
    if depth == 1 and len(nodes) > LIMIT:
        depth = 0
        notes.append(
            f"{len(nodes)} layers are too many to draw: shown as blocks; open one with --module "
            f"PATH"
        )
    rows = table(trace, style, counted, merge=False)
    boxes, edges, groups = _blocks(trace, nodes, rows, depth)
    if depth == 0:
        boxes, edges = _collapsed(boxes, edges)
        if (
            rows.style == "layers" and len(boxes) > READ
        ):  # modules cut at a depth, so that alike blocks become one
            deepest = max(op.module.count(".") + 1 for op in trace.forward)
            for at in range(min(deepest, _DEPTHS), 0, -1):
                cut = table(trace, "layers", counted, at, merge=False)
                tried = _collapsed(*_blocks(trace, nodes, cut, 0)[:2])
                if 3 <= len(tried[0]) <= READ:
                    boxes, edges = tried
                    break
        if len(boxes) > PAGE:
            notes.append(
                f"{len(boxes)} blocks are drawn as {PAGE} groups in their order; open a part with "
                f"--module PATH"
            )
            boxes, edges = _grouped(boxes, edges, PAGE)
    said = (*notes, _totals(trace, counted))
    return Diagram(title, tuple(boxes), edges, tuple(groups), False, said, counted)


def _blocks(trace, nodes, rows, depth):
    """Boxes, edges and frames for the rows of a table, opened to their layers at depth 1."""
    whole = _whole(trace, nodes)
    owner, boxes, groups = {}, [], []
    for row in rows.rows:
        members = [nodes[i] for i in row.nodes if nodes[i].op]
        if not members:
            continue
        # where a skip comes back beside the row's module, not in it, is a box of its own: the skip
        # does not lead into the module
        meets = [
            n
            for n in members
            if rows.style == "layers"
            and n.kind in ("cat", "join")
            and any(p not in row.nodes for p in n.preds)
            and row.path
            and not (n.op.module + ".").startswith(row.path + ".")
        ]
        if len(meets) == len(members):
            meets = []
        members = [n for n in members if n not in meets]
        end = members[-1]
        if depth == 1 and len(members) > 1:
            ids = {n.index: f"{row.id}/{n.index}" for n in members}
            name = (
                row.cells.get("name")
                or row.cells.get("type")
                or row.cells.get("layer name")
                or row.id
            )
            groups.append((row.id, name))
            boxes += _layers(trace, members, ids, rows.convention, lambda n: row.id)  # noqa: B023
            owner |= ids
        else:
            first = row.cells.get("layers") or row.cells.get("type") or row.id
            lines = [first]
            if rows.style == "paper" and row.cells.get("patch size/stride"):
                lines[0] = f"{first} {row.cells['patch size/stride']}"
            elif rows.style == "layers":
                # what no module of its own does is called by what it is
                lines[0] = (
                    _layer(end)[0]
                    if row.cells["name"] == "(model)" and len(members) == 1
                    else f"{row.cells['name']}: {first}"
                )
            elif rows.style == "resnet" and end.kind in ("join",):
                lines.insert(0, row.cells["layer name"])
            lines.append(row.cells["output size"])
            ident = (
                row.id if row.id == row.path else f"{row.path}/{row.id}"
            )  # a further call of a module links to its row too
            boxes.append(
                Box(
                    ident,
                    end.kind,
                    tuple(lines),
                    row.params,
                    row.macs,
                    row.macs / whole,
                    seconds=row.seconds,
                    nodes=tuple(n.index for n in members),
                )
            )
            owner |= {n.index: ident for n in members}
        for n in meets:
            owner[n.index] = f"{row.path}/{row.id}/{n.index}"
            boxes.append(Box(owner[n.index], n.kind, _layer(n), 0, 0, 0.0, nodes=(n.index,)))
    return boxes, _edges(owner, nodes), groups


def _totals(trace, convention):
    t = total(trace)
    inputs = ", ".join(shape for shape, _ in trace.provenance["inputs"])
    return (
        f"{_params(t, convention)}, {t.macs:,} MACs (multiply-adds) for input {inputs}, "
        f"{t.coverage}"
    )


def _params(t, convention):
    """The params of a total, and what is left out of them."""
    kind = "params" if convention.bias else f"params (weights only, K = {convention.kilo:,})"
    return f"{convention.params(t):,} {kind}"


def _module(trace, nodes, module, title, convention):
    members = [
        n for n in nodes if n.op and (not module or (n.op.module + ".").startswith(module + "."))
    ]
    if not members:
        import difflib

        paths = {
            ".".join(op.module.split(".")[:i])
            for op in trace.forward
            for i in range(1, op.module.count(".") + 2)
        }
        near = difflib.get_close_matches(module, paths - {""}, 3)
        raise ValueError(
            f"no layer under module {module!r}"
            + (f"; did you mean {' or '.join(near)}?" if near else "")
        )
    inside = {n.index for n in members}
    ids = {n.index: f"{module}/{n.index}" for n in members}
    boxes = _layers(trace, members, ids, convention)
    outside = dict.fromkeys(p for n in members for p in n.preds if p not in inside)
    inputs = [
        Box(
            f"input/{p}",
            "input",
            ("previous layer" if p else "input", nodes[p].layout.size),
            0,
            0,
            0.0,
        )
        for p in outside
    ]
    ids |= {p: f"input/{p}" for p in outside}
    part = total(trace, [op for n in members for op in n.ops])
    note = f"{_params(part, convention)}, {part.macs:,} MACs (multiply-adds)" + (
        f", {100 * part.macs / _whole(trace, nodes):.1f}% of the network's" if module else ""
    )
    return Diagram(
        f"{title}: {module}" if module else title,
        (*inputs, *boxes),
        _edges(ids, members),
        (),
        True,
        (note,),
        convention,
    )


def rewritten(traces, paths) -> tuple[Diagram, Diagram]:
    """The layers under `paths` in a trace and in the one after rewriting them; several paths are
    drawn as chains of their own."""
    found, left = [], len(paths) - SHOWN
    cost = {
        p: sum(total(traces[0], [op]).macs for op in traces[0].forward if op.module == p)
        for p in paths
    }
    paths = [p for p in paths if p in sorted(paths, key=lambda p: -cost[p])[:SHOWN]]
    for trace in traces:
        nodes, boxes, edges = layer_graph(trace), [], []
        for path in paths:
            part = _module(trace, nodes, path, "", CONVENTIONS["macs"])
            boxes += [
                replace(
                    b,
                    id=f"{path}/{b.id}",
                    lines=(f"{path}: {b.lines[0]}", *b.lines[1:]) if b.kind == "input" else b.lines,
                )
                for b in part.boxes
            ]
            edges += [(f"{path}/{a}", f"{path}/{b}") for a, b in part.edges]
        macs = sum(b.macs for b in boxes)
        found.append(
            Diagram(
                trace.provenance["model"],
                tuple(boxes),
                tuple(edges),
                (),
                True,
                (
                    f"{sum(b.params for b in boxes):,} params, {macs:,} MACs here"
                    + (f"; the {SHOWN} dearest, {left} more are not drawn" if left > 0 else ""),
                ),
            )
        )
    return found[0], found[1]
