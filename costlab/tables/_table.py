"""The table of a trace in the format of GoogLeNet's Table 1, inferred from the graph and never from names."""
from __future__ import annotations

import re
from dataclasses import dataclass

from ..cost import CONVENTIONS, Convention, total
from ..trace._record import Trace
from ._graph import Node, layer_graph


@dataclass(frozen=True)
class Column:
    """`key` names the field of `Row.cells`; `unit` is "" for text and plain counts, otherwise "params" or "MACs"."""

    key: str
    unit: str = ""


@dataclass(frozen=True)
class Row:
    """One row: `id` is stable for links; `cells` by column key; `params` elements, `macs` multiply-adds."""

    id: str
    cells: dict
    params: int
    macs: int


@dataclass(frozen=True)
class Table:
    """A finished table. `notes` are the lines every output states: convention, coverage, provenance."""

    title: str
    style: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    params: int
    macs: int
    convention: Convention
    notes: tuple[str, ...]

    def to_frame(self):
        """A pandas DataFrame: one row a table row, exact integers in `params` and `MACs`."""
        import pandas
        return pandas.DataFrame([{**{c.key: r.cells.get(c.key) for c in self.columns if not c.unit},
                                  "params": r.params, "MACs": r.macs} for r in self.rows])


def _x(shape):
    return "x".join(map(str, shape))


def _size(shape):
    """(N, C, H, W) as the paper prints it: HxWxC."""
    if len(shape) == 2:
        return f"1x1x{shape[1]}"
    return _x((*shape[2:], shape[1])) if len(shape) > 2 else _x(shape)


def _patch(node):
    stride = node.stride
    return f"{_x(node.kernel)}/{stride[0] if len(set(stride)) == 1 else _x(stride)}" if node.kernel else ""


def _label(path: str, kind: str):
    leaf = path.rsplit(".", 1)[-1]
    m = re.fullmatch(r"(?i)inception_?(\d[a-z])", leaf)
    return f"inception ({m[1]})" if m else f"{kind} ({leaf})" if leaf else kind


def _common_path(nodes):
    paths = [n.op.module.split(".") for n in nodes if n.op]
    common = []
    for parts in zip(*paths):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return ".".join(common)


def _chains(nodes, end, root):
    """All paths root -> end as lists of layers; joins and inner concatenations branch."""
    if end == root:
        return [[]]
    node = nodes[end]
    step = [] if node.kind in ("cat", "join") else [node]
    return [chain + step for p in dict.fromkeys(node.preds) for chain in _chains(nodes, p, root)]


def _branch_cells(chain):
    """Column name -> value for one branch, read as the papers' tables read it."""
    convs = [n for n in chain if n.kind == "conv"]
    pools = [n for n in chain if n.kind.endswith("pool")]
    width = [n.out_shape[1] for n in convs]
    one = [all(k == 1 for k in n.kernel) for n in convs]
    names = [_x(n.kernel) for n in convs]
    if not chain:
        return {"pass through": "yes"}
    if len(convs) + len(pools) != len(chain):
        return {"+".join(n.kind if n.kind != "conv" else _x(n.kernel) for n in chain): _x(chain[-1].out_shape[1:])}
    if pools:
        kind = pools[0].kind.split()[0]
        if not convs:
            return {"pool proj": f"{kind} + pass through"}
        if len(convs) == 1 and one[0] and chain[0] is pools[0]:
            return {"pool proj": width[0] if kind == "max" else f"{kind} + {width[0]}"}
        return {"+".join(_x(n.kernel) if n.kind == "conv" else n.kind for n in chain): width[-1]}
    body, prefix = (1, True) if one[0] and len(convs) > 1 else (0, False)
    kernels = names[body:]
    square = len(set(kernels)) == 1
    if len(kernels) == 1:
        name = f"#{kernels[0]}"
    elif square and len(kernels) == 2:
        name = f"double #{kernels[0]}"
    else:
        name = "#" + "+".join(kernels)
    cells = {f"{name} reduce": width[0]} if prefix else {}
    cells[name] = width[-1]
    return cells


def _depth(nodes, members, weighted=("conv", "linear")):
    """Layers with weights on the longest path through `members`."""
    best: dict[int, int] = {}
    for n in sorted(members, key=lambda n: n.index):
        best[n.index] = max((best.get(p, 0) for p in n.preds), default=0) + (n.kind in weighted)
    return max(best.values(), default=0)


def _blocks(nodes):
    """Fork-to-concatenation regions, outermost first kept: concat index -> (root, member indexes)."""
    found = {}
    taken: set[int] = set()
    for node in reversed(nodes):
        if node.kind != "cat" or node.index in taken:
            continue
        members, todo = {node.index}, [p for p in node.preds]
        while todo:
            p = todo.pop()
            if p != node.idom and p not in members:
                members.add(p)
                todo.extend(nodes[p].preds)
        if len(members) < 3 or members & taken or any(nodes[i].kind == "join" for i in members):
            continue
        # a concatenation that spans other complete blocks in series (a U-Net, a dense block) is not one module
        inner = sum(1 for i in members if i != node.index and nodes[i].kind == "cat")
        if inner > len(node.preds):
            continue
        taken |= members
        found[node.index] = (node.idom, members)
    return found


_TYPES = {"conv": "convolution"}


def _paper_rows(trace: Trace, nodes: list[Node]):
    blocks = _blocks(nodes)
    owner = {m: end for end, (_, members) in blocks.items() for m in members}
    uses: dict[int, int] = {}
    for n in nodes:
        for p in n.preds:
            uses[p] = uses.get(p, 0) + 1
    groups: list[tuple[str, list[Node], int | None]] = []
    done = set()
    for n in nodes[1:]:
        if n.index in owner:
            end = owner[n.index]
            if end not in done:
                done.add(end)
                groups.append(("block", [nodes[i] for i in sorted(blocks[end][1])], end))
            continue
        last = groups[-1] if groups else None
        if (n.kind == "conv" and last and last[0] == "conv" and len(last[1]) == 1 and n.preds == (last[1][0].index,)
                and uses[last[1][0].index] == 1 and all(k == 1 for k in last[1][0].kernel) and set(n.kernel) != {1}
                and set(last[1][0].stride) == {1} and n.op.attrs.get("groups") == 1 and last[1][0].op.attrs.get("groups") == 1):
            last[1].append(n)
        else:
            groups.append((n.kind, [n], None))
    if nodes[0].ops:
        groups.insert(0, ("input", [nodes[0]], None))
    for kind, members, end in groups:
        last = nodes[end] if end is not None else members[-1]
        ops = [op for n in members for op in n.ops]
        cells = {"output size": _size(last.out_shape), "depth": _depth(nodes, members)}
        if kind == "block":
            path = _common_path(members)
            cells["type"] = _label(path, "inception")
            strides = {s for n in members for s in n.stride}
            cells["patch size/stride"] = f"stride {max(strides)}" if max(strides, default=1) > 1 else ""
            for chain in _chains(nodes, end, blocks[end][0]):
                for key, value in _branch_cells(chain).items():
                    name, k = key, 2
                    while name in cells and cells[name] != value:
                        name, k = f"{key} ({k})", k + 1
                    cells[name] = value
        else:
            path = last.op.module if last.op else ""
            cells["type"] = _TYPES.get(kind, kind)
            cells["patch size/stride"] = _patch(last)
            if len(members) == 2:
                cells.update(_branch_cells(members))
        yield path, cells, ops


def _layer_rows(trace: Trace, nodes, depth):
    groups: dict[str, list] = {}
    for n in nodes:
        for op in n.ops:
            key = ".".join(op.module.split(".")[:depth]) or "(model)"
            groups.setdefault(key, []).append(op)
    for key, ops in groups.items():
        shown = [op for op in ops if op.outputs]
        yield key, {"type": ops[0].module_type if all(o.module == key for o in ops) else "block", "name": key,
                    "output size": _size(trace.tensors[shown[-1].outputs[0]].shape) if shown else "",
                    "depth": sum(1 for n in nodes if n.kind in ("conv", "linear") and n.op in ops)}, ops


STYLES = ("auto", "paper", "layers")
_BASE = ("type", "patch size/stride", "output size", "depth")
_ORDER = ("#1x1", "#3x3 reduce", "#3x3", "#5x5 reduce", "#5x5", "double #3x3 reduce", "double #3x3", "pool proj")


def table(trace: Trace, style: str = "auto", convention: str | Convention = "paper", depth: int = 1, strict: bool = False) -> Table:
    """The table of `trace`. `style`: "paper" (forks that meet in a channel concatenation are rows), "layers" (by
    module path, cut at `depth`), "auto" (paper where there is such a fork).

    Raises ValueError for an unknown style or convention, UnknownOpError in strict mode."""
    if style not in STYLES:
        raise ValueError(f"unknown style {style!r}; choose {', '.join(STYLES)}")
    if isinstance(convention, str):
        if convention not in CONVENTIONS:
            raise ValueError(f"unknown convention {convention!r}; choose {', '.join(CONVENTIONS)}")
        convention = CONVENTIONS[convention]
    nodes = layer_graph(trace)
    if style == "auto":
        style = "paper" if _blocks(nodes) else "layers"
        chosen = f"style {style} (chosen by auto)"
    else:
        chosen = f"style {style}"
    rows, keys, seen, ids = [], {}, set(), set()
    for path, cells, ops in _paper_rows(trace, nodes) if style == "paper" else _layer_rows(trace, nodes, depth):
        fresh = {p for op in ops for p in op.params} - seen
        seen |= fresh
        params = sum(trace.params[p].numel for p in fresh if convention.bias or len(trace.params[p].shape) > 1)
        ident = base = path or "model"
        k = 2
        while ident in ids:
            ident, k = f"{base}-{k}", k + 1
        ids.add(ident)
        keys.update(dict.fromkeys(cells))
        rows.append(Row(ident, cells, params, total(trace, ops).macs))
    rows = [r for r in rows if r.cells.get("type") != "input" or r.params or r.macs]
    whole = total(trace, strict=strict)
    extra = [k for k in keys if k not in _BASE]
    extra.sort(key=lambda k: (_ORDER.index(k) if k in _ORDER else len(_ORDER), k))
    base_keys = [k for k in _BASE if k in keys]
    columns = (*(Column(k) for k in (*base_keys, *extra)), Column("params", "params"), Column("ops", "MACs"))
    p = trace.provenance
    notes = (convention.note, f"coverage: {whole.coverage}",
             f"{chosen}; traced on {p['device']} with torch {p['torch']}, input "
             + ", ".join(f"{s} {d}" for s, d in p["inputs"]))
    unused = [q for i, q in enumerate(trace.params) if i not in seen]
    if unused:
        notes += (f"{sum(q.numel for q in unused):,} params were not used in this run and are in no row",)
    return Table(p["model"], style, columns, tuple(rows), sum(r.params for r in rows), whole.macs, convention, notes)
