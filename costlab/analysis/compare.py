"""Networks side by side: totals, ratios, and stages, layers that work on grids of one stride."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log2, prod

from .. import reference
from .._result import Result
from ..cost import total
from ..graph import WEIGHTED, Node, layer_graph, layouts, longest
from ..tables import Column, Sheet
from ..trace import Trace


@dataclass(frozen=True)
class Stage:
    """The layers of one network at one `stride` (input side / output side, to the nearest power of
    two; 0: the head, where there is no grid): `grids` the positions along each side, or the number
    of tokens; `params` elements, `macs` multiply-adds, `activations` elements, `depth` layers."""

    stride: int
    grids: tuple[tuple[int, ...], ...]
    params: int
    macs: int
    activations: int
    depth: int


@dataclass(frozen=True)
class Side:
    """One network: totals in the units of `Stage`, its stages, and the published top-1 and top-5
    error in percent (None: not published) with their setting and source; `seconds` of the whole
    model where it was measured, on `device`; `backward` multiply-adds of the backward pass where it
    was traced."""

    name: str
    params: int
    macs: int
    activations: int
    depth: int
    stages: tuple[Stage, ...]
    top1: float | None
    top5: float | None
    published: str
    seconds: float | None = None
    device: str = ""
    backward: int | None = None


@dataclass(frozen=True)
class Comparison(Result):
    """Two or more networks; the first is what the ratios are to."""

    sides: tuple[Side, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the first has against each other, in plain words."""
        a = self.sides[0]
        return tuple(
            f"{a.name} has {_times(a.params, b.params, 'parameters', b.name)}"
            f" and {_times(a.macs, b.macs, 'MACs')}{_took(a, b)}"
            for b in self.sides[1:]
        )

    @property
    def sheet(self) -> Sheet:
        """A row a quantity and a stage, a column a network, then its ratio to the first."""
        names = [s.name for s in self.sides]
        keys = [n if names.count(n) == 1 else f"{n} ({i + 1})" for i, n in enumerate(names)]
        columns = [Column("what"), Column("unit"), *(Column(k, "count") for k in keys)]
        columns += [Column(f"{k} / {keys[0]}", format=".2f") for k in keys[1:]]
        rows = []

        def row(what, unit, values):
            cells = {"what": what, "unit": unit, **dict(zip(keys, values, strict=True))}
            first = values[0]
            cells |= {
                f"{k} / {keys[0]}": v / first
                for k, v in list(zip(keys, values, strict=True))[1:]
                if isinstance(v, (int, float)) and v and first
            }
            rows.append(cells)

        for what, unit, field in (
            ("params", "elements", "params"),
            ("MACs", "multiply-adds", "macs"),
            ("activations", "elements", "activations"),
            ("depth", "layers with weights", "depth"),
        ):
            row(what, unit, [getattr(s, field) for s in self.sides])
        if any(s.backward for s in self.sides):
            row("MACs of the backward pass", "multiply-adds", [s.backward for s in self.sides])
        for what, field in (("top-1 error, published", "top1"), ("top-5 error, published", "top5")):
            if any(getattr(s, field) is not None for s in self.sides):
                row(what, "%", [getattr(s, field) for s in self.sides])
        if any(s.seconds for s in self.sides):
            row(
                "time, measured",
                "ms",
                [s.seconds and round(1e3 * s.seconds, 6) for s in self.sides],
            )
        for stride in sorted(
            {st.stride for s in self.sides for st in s.stages}, key=lambda v: v or 1 << 30
        ):
            found = [next((st for st in s.stages if st.stride == stride), None) for s in self.sides]
            grids = " | ".join(
                ", ".join("x".join(map(str, g)) for g in st.grids) if st and st.grids else "-"
                for st in found
            )
            where = f"stride {stride} ({grids})" if stride else "head"
            for what, unit, field in (
                ("MACs", "multiply-adds", "macs"),
                ("params", "elements", "params"),
                ("depth", "layers", "depth"),
            ):
                row(f"{where}: {what}", unit, [getattr(st, field) if st else 0 for st in found])
        notes = [
            *self.sentences,
            "params with biases and norm scales; one MAC = one multiply-add; "
            "stages are layers of one stride",
            *(f"published error of {s.name}: {s.published}" for s in self.sides if s.published),
            *(f"time of {s.name}: the whole model, {s.device}" for s in self.sides if s.seconds),
        ]
        return Sheet(" against ".join(names), tuple(columns), tuple(rows), tuple(notes))


def _times(a, b, what, than=""):
    than = than and f" than {than}"
    if a == b:
        return f"as many {what}{than.replace('than', 'as', 1)}"
    if not a or not b:
        return f"{a:,} {what}{than}'s {b:,}"
    ratio, word = (a / b, "more") if a > b else (b / a, "fewer")
    return (
        f"{ratio:.1f} times {word} {what}{than}"
        if ratio >= 1.05
        else f"{100 * (ratio - 1):.1f}% {word} {what}{than}"
    )


def _took(a: Side, b: Side) -> str:
    """What the times say, where both were measured in one place."""
    if not (a.seconds and b.seconds and a.device == b.device):
        return ""
    ratio = a.seconds / b.seconds
    return (
        f", and takes {ratio:.1f} times as long"
        if ratio >= 1.05
        else f", and takes {100 * ratio:.0f}% of its time"
    )


def published(name: str):
    """(top-1, top-5, setting and source) as published for a zoo network, errors in percent; None
    where there is none."""
    for r in reference.load("zoo_errors"):
        if r["model"] == name:
            for p in reference.load("published_results"):
                if (p["network"], p["setting"]) == (r["network"], r["setting"]):
                    number = lambda text: float(text.split()[0]) if text else None  # noqa: E731
                    return (
                        number(p["top1_err"]),
                        number(p["top5_err"]),
                        f"{p['network']}, {p['setting']} ({p['source']})",
                    )
    return None, None, ""


def stages(trace: Trace) -> tuple[Stage, ...]:
    """The stages of a network, in order of stride; parameters are counted where they are used
    first."""
    nodes, groups = layer_graph(trace), {}
    for n, stride in zip(nodes, _strides(trace, nodes), strict=True):
        groups.setdefault(stride, []).append(n)
    found, seen = [], set()
    for stride in sorted(groups, key=_by_stride):
        members = groups[stride]
        ops = [op for n in members for op in n.ops]
        t = total(trace, ops)
        fresh = {p for op in ops for p in op.params} - seen
        seen |= fresh
        weighted = [n for n in members if n.kind in WEIGHTED]
        if weighted or t.macs or fresh:
            grids = dict.fromkeys(n.layout.grid for n in weighted) if stride else {}
            params = sum(trace.params[p].numel for p in fresh)
            found.append(
                Stage(stride, tuple(grids), params, t.macs, t.activations, longest(members))
            )
    return tuple(found)


def _by_stride(stride: int) -> float:
    return stride or inf  # the head comes last


def _strides(trace: Trace, nodes: tuple[Node, ...]) -> list[int]:
    """The stride of each node; what works on one position and leads back to a grid
    (squeeze-and-excitation) is of that grid's."""
    found = [_stride(trace, n) for n in nodes]
    for n in reversed(nodes):
        for p in n.preds:
            if nodes[p].op and not found[p]:
                found[p] = found[n.index]
    return found


def _stride(trace: Trace, node: Node) -> int:
    """Input positions a side for each position of the layer's grid, to the nearest power of two; 1
    for what is done to the input, 0 where one position is left. Tokens count as the square grid of
    as many."""
    if node.op is None:
        return 1
    before, after = (prod(x.grid) for x in (layouts(trace)[trace.inputs[0]], node.layout))
    if after <= 1 or before <= 1:
        return 0
    sides = max(len(layouts(trace)[trace.inputs[0]].grid), 1)
    return 2 ** max(0, round(log2(before / after) / sides))


def _measured(trace: Trace):
    m = trace.measured
    return (
        (m.total.median, ", ".join(m.conditions[k] for k in ("device", "dtype", "layout")))
        if m
        else (None, "")
    )


def compare(traces) -> Comparison:
    """Compare two or more traces. Raises ValueError for fewer."""
    if len(traces) < 2:
        raise ValueError("a comparison needs two models or more")
    sides = []
    for trace in traces:
        t, parts = total(trace), stages(trace)
        name = trace.provenance["model"]
        sides.append(
            Side(
                name,
                t.params,
                t.macs,
                t.activations,
                longest(layer_graph(trace)),
                parts,
                *published(name),
                *_measured(trace),
                total(trace, trace.backward).macs if trace.trained else None,
            )
        )
    return Comparison(tuple(sides))
