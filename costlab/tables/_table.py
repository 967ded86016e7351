"""A Trace in, a Table out: rows by style, counted under a convention."""

from __future__ import annotations

from dataclasses import dataclass

from .._result import Result
from ..cost import Convention, cost_of, is_weight, total, training
from ..graph import forks, layer_graph, partition
from ..trace.record import Measured, Trace
from . import _layers, _paper, _resnet
from ._columns import COLUMNS
from ._arithmetic import arithmetic_notes
from ._conventions import choose_convention
from ._sheet import Column, Sheet


@dataclass(frozen=True)
class Row:
    """One row: `id` is stable for links; `cells` by column key; `params` elements, `macs` multiply-adds; `nodes` index
    the layer graph's nodes that it holds, `ops` the trace's operations; `seconds` measured in place (None: not measured); `path` of the
    module, which several rows may share."""

    id: str
    cells: dict
    params: int
    macs: int
    nodes: tuple[int, ...] = ()
    ops: tuple[int, ...] = ()
    seconds: float | None = None
    path: str = ""

    @property
    def name(self) -> str:
        """What charts and sentences call it: layer name, module path, or type; a convolution or pool with its patch size."""
        name, patch = (
            self.cells.get("layer name") or self.cells.get("name"),
            self.cells.get("patch size/stride", ""),
        )
        return name or (
            f"{self.cells['type']} {patch}" if patch[:1].isdigit() else self.cells["type"]
        )


@dataclass(frozen=True)
class Table(Result):
    """A finished table. `notes` are the lines every output states: convention, coverage, provenance; `totals` of the
    extra columns by key; `params` (elements) and `macs` (multiply-adds) of the whole."""

    title: str
    style: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    params: int
    macs: int
    totals: dict
    convention: Convention
    notes: tuple[str, ...]

    @property
    def sheet(self) -> Sheet:
        """What the renderers take."""
        return Sheet(
            self.title,
            self.columns,
            tuple(r.cells for r in self.rows),
            self.notes,
            {**self.totals, "params": self.params, "ops": self.macs},
            tuple(r.id for r in self.rows),
            {"style": self.style, "convention": self.convention.name},
        )


STYLES = {"paper": _paper.rows, "resnet": _resnet.rows, "layers": _layers.rows}
_LEAD = (
    "type",
    "name",
    "times",
    "layer name",
    "patch size/stride",
    "output size",
    "layers",
    "depth",
)
_ORDER = (
    "#1x1 squeeze",
    "#1x1",
    "#3x3 reduce",
    "#3x3",
    "#5x5 reduce",
    "#5x5",
    "double #3x3 reduce",
    "double #3x3",
    "pool proj",
)


_ROWS = 40  # a style that takes more shows nothing at a glance


def choose_style(trace: Trace, nodes) -> str:
    """ "paper" where most convolutions or MACs lie in forks that meet in a concatenation, "resnet"
    where most lie in residual blocks, as long as at least a quarter of the MACs is there and the
    rows can be read; otherwise "layers"."""
    macs = {n.index: cost_of(trace, n.op).macs for n in nodes if n.op}
    convs, whole = {n.index for n in nodes if n.kind == "conv"}, sum(macs.values())
    for style, inside in (("paper", _in_forks(nodes)), ("resnet", _in_residuals(trace, nodes))):
        there = sum(macs.get(m, 0) for m in inside)
        most = 2 * len(convs & inside) > len(convs) or 2 * there > whole
        if convs and most and 4 * there > whole and _reads(style, trace, nodes):
            return style
    return "layers"


def _in_forks(nodes) -> set[int]:
    """Layers of forks whose branches the papers' columns can name."""
    found = forks(nodes)
    if any(len(b.nodes) > _paper.NAMED for f in found for b in f.branches):
        return set()
    return {m for f in found for m in f.members}


def _in_residuals(trace, nodes) -> set[int]:
    """Layers of residual blocks with convolutions; what a transformer adds up is none."""
    return {
        m
        for b in partition(trace).walk()
        if b.kind in ("residual", "sum") and any(nodes[m].kind == "conv" for m in b.nodes)
        for m in b.nodes
    }


def _reads(style, trace, nodes) -> bool:
    """Whether the table can be taken in at a glance, and says what each row is."""
    rows = list(STYLES[style](trace, nodes))
    return len(rows) <= _ROWS and all(r.cells.get("layers") != "join" for r in rows)


def _extra(columns):
    known = {k.replace(" ", "-").lower(): k for k in COLUMNS}
    for c in columns.split(",") if isinstance(columns, str) else columns:
        if c.strip().replace(" ", "-").lower() not in known:
            raise ValueError(
                f"unknown column {c!r}; choose " + ", ".join(k.replace(" ", "-") for k in COLUMNS)
            )
        yield known[c.strip().replace(" ", "-").lower()]


def table(
    trace: Trace,
    style: str = "auto",
    convention: str | Convention | None = None,
    depth: int | None = None,
    strict: bool = False,
    columns=(),
    merge: bool = True,
) -> Table:
    """The table of `trace`.

    Args:
        style: "paper" (a fork that meets in a channel concatenation is a row), "resnet" (a run of alike residual blocks is
            a row), "layers" (by module path), or "auto", which chooses and says so in the notes.
        depth: of the layers style: module paths are cut there. None opens every module that holds most of the MACs or params, and,
            with `merge`, shows alike modules of different number once, with how many there are.
        convention: a name of `CONVENTIONS` or a `Convention`: what params means, and K and M. None takes `default_convention`.
        columns: names of `COLUMNS` to add, such as "receptive field".

    Raises ValueError for an unknown style, convention or column, UnknownOpError in strict mode."""
    if style not in STYLES and style != "auto":
        raise ValueError(f"unknown style {style!r}; choose auto, {', '.join(STYLES)}")
    convention, stated = choose_convention(trace, convention)
    if depth is not None and style not in ("layers", "auto"):
        raise ValueError(
            f"a depth cuts the layers style, and this is {style}; leave out one of them"
        )
    if isinstance(depth, int) and depth < 1:
        raise ValueError(f"depth {depth} shows no module; choose 1 or more")
    added = tuple(dict.fromkeys(_extra(columns)))
    nodes = layer_graph(trace)
    auto = style == "auto"
    if auto:
        style = "layers" if depth is not None else choose_style(trace, nodes)
    whole = total(trace, strict=strict)
    covered = (
        total(trace, trace.ops, strict=strict) if trace.trained else whole
    )  # backward operations too
    place = {id(op): i for i, op in enumerate(trace.ops)}
    took = [0.0] * len(trace.ops)
    for o in trace.measured.ops if trace.measured else ():
        if o.of >= 0:
            took[o.of] += o.seconds
    gradients: dict[int, list] = {}
    for op in trace.backward:
        gradients.setdefault(op.of, []).append(op)
    rows, keys, seen, ids = [], {}, set(), {}
    for group in STYLES[style](trace, nodes, depth, merge):
        fresh = {p for op in group.ops for p in op.params} - seen
        seen |= fresh
        params = sum(trace.params[p].numel for p in fresh if convention.bias or is_weight(trace, p))
        cost = total(trace, group.ops)
        macs = cost.macs
        if (
            not any(n.op for n in group.nodes)
            and style != "layers"
            and not (params or macs or cost.integer_macs)
        ):
            continue  # what is done to the input before the first layer
        base = group.path or "model"
        ids[base] = ids.get(base, 0) + 1
        ident = base if ids[base] == 1 else f"{base}-{ids[base]}"
        keys.update(dict.fromkeys(group.cells))
        cells = {
            **group.cells,
            **{c: COLUMNS[c][1](trace, group) for c in added},
            "params": params,
            "ops": macs,
            **({"integer ops": cost.integer_macs} if whole.integer_macs else {}),
        }
        if trace.trained:
            cells["backward"] = total(
                trace, [b for op in group.ops for b in gradients.get(place[id(op)], ())]
            ).macs
        indices, seconds = tuple(place[id(op)] for op in group.ops), None
        if trace.measured:
            seconds = sum(took[i] for i in indices)
            cells["time"] = 1e3 * seconds
        rows.append(
            Row(
                ident,
                cells,
                params,
                macs,
                tuple(n.index for n in group.nodes),
                indices,
                seconds,
                base,
            )
        )
    lead = [k for k in _LEAD if k in keys]
    order = lambda k: _ORDER.index(k) if k in _ORDER else len(_ORDER) - 1.5  # noqa: E731  unfamiliar ones before pool proj
    rest = sorted(
        (k for k in keys if k not in lead),
        key=lambda k: (order(k), k.replace(" reduce", ""), " reduce" not in k),
    )
    shown = (
        *(Column(k, "count" if k == "times" else "") for k in lead + rest),
        *(Column(c, COLUMNS[c][0]) for c in added),
        _count("params", "params", convention, (convention.kilo, "K")),
        _count("ops", "MACs", convention, (convention.mega, "M")),
        *(
            [_count("integer ops", "MACs", convention, (convention.mega, "M"))]
            if whole.integer_macs
            else ()
        ),
        *(
            [_count("backward", "MACs", convention, (convention.mega, "M"))]
            if trace.trained
            else ()
        ),
        *([Column("time", "ms", share=True, format=",.3f")] if trace.measured else ()),
    )
    p = trace.provenance
    notes = (
        stated,
        f"coverage: {covered.coverage}",
        f"style {style}{' (chosen by auto)' if auto else ''}; traced on {p['device']} with torch {p['torch']}, input "
        + ", ".join(f"{s} {d}" for s, d in p["inputs"]),
    )
    if any(r.cells.get("times") for r in rows):
        notes += ("alike modules are one row, with how many there are; --depth N lists each",)
    if "source" in p:
        notes += (f"model: {p['source']}",)
    notes += tuple(p.get("notes", ()))
    unused = [q for i, q in enumerate(trace.params) if i not in seen]
    if unused:
        notes += (
            f"{sum(q.numel for q in unused):,} params were not used in this run and are in no row",
        )
    notes += arithmetic_notes(trace)
    if trace.trained:
        notes += (training(trace).note,)
    totals = {c: getattr(whole, _FIELDS[c]) for c in added if c in _FIELDS}
    if whole.integer_macs:
        totals["integer ops"] = whole.integer_macs
    if trace.trained:
        totals["backward"] = training(trace).backward_macs
    if trace.measured:
        totals["time"] = 1e3 * sum(r.seconds for r in rows)
        notes += (measured_note(trace.measured),)
    return Table(
        p["model"],
        style,
        shown,
        tuple(rows),
        sum(r.params for r in rows),
        whole.macs,
        totals,
        convention,
        notes,
    )


def _count(key, unit, convention: Convention, scale) -> Column:
    """A column of counts with their shares, in one unit or each in its own, by the convention."""
    return Column(
        key,
        unit,
        None if convention.scaled else scale,
        share=True,
        scaled=convention.scaled,
    )


def measured_note(m: Measured) -> str:
    """One line: the whole model's time, where and how it was measured, and what its operations add up to."""
    c, parts = m.conditions, sum(o.seconds for o in m.ops) + m.other
    return (
        f"time of kernels in place on {c['device']}, {c['dtype']}, {c['layout']}; the whole model {1e3 * m.total.median:,.3f} ms "
        f"(95% interval {1e3 * m.total.low:,.3f} to {1e3 * m.total.high:,.3f}, {c['method']}), its operations add up to {100 * parts / m.total.median:.0f}% of it"
    )


_FIELDS = {
    "MACs": "macs",
    "FLOPs": "flops",
    "activations": "activations",
    "outputs": "outputs",
    "bytes read": "read",
    "bytes written": "written",
    "integer MACs": "integer_macs",
    "weights": "weights",
    "biases": "biases",
    "scales": "scales",
}
