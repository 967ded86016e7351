"""Grid reductions: *Rethinking the Inception Architecture*, Section 5, Figures 9 and 10, each
scheme traced."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from torch import nn

from .._result import Charted, Drawn
from ..cost import total
from ..graph import Node, consumers, forks, layer_graph
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace.build import traced
from ..zoo import modules

POOLS = ("valid", "padded", "2x2")
IMAGE = 4  # channels: pooling an image itself beside a convolution is no network's habit


@dataclass(frozen=True)
class Scheme:
    """One way from d x d x c_in to half the grid: `params` elements, `macs` multiply-adds;
    `narrowest` elements at the narrowest
    place that all data passes, before the output (None: there is no such place); `bottleneck`
    where that is narrower than
    both the input and the output."""

    name: str
    params: int
    macs: int
    out: tuple[int, ...]
    activations: int
    narrowest: int | None
    bottleneck: bool
    trace: Trace


@dataclass(frozen=True)
class GridReduction(Charted, Drawn):
    """The schemes for one grid and one pair of widths; ratios are to the first, pool then
    convolution."""

    input: tuple[int, ...]
    schemes: tuple[Scheme, ...]
    notes: tuple[str, ...]

    chart_kind = "grid"

    @property
    def drawings(self) -> list[tuple[str, Trace]]:
        """The schemes."""
        return [("", s.trace) for s in self.schemes]

    @property
    def sheet(self) -> Sheet:
        """A row a scheme."""
        first = self.schemes[0]
        columns = (
            Column("scheme"),
            Column("output"),
            Column("params", "params"),
            Column("MACs", "MACs"),
            Column("to pool first", "x", format=".4f"),
            Column("activations", "elements", importance=4),
            Column("narrowest", "elements", importance=3),
            Column("representational bottleneck", importance=6),
            *([Column("backward", "MACs")] if first.trace.trained else ()),
        )
        rows = tuple(
            {
                "scheme": s.name,
                "output": "x".join(map(str, (*s.out[1:], s.out[0]))),
                "params": s.params,
                "MACs": s.macs,
                "to pool first": s.macs / first.macs if first.macs else None,
                "activations": s.activations,
                "narrowest": s.narrowest,
                "representational bottleneck": "YES" if s.bottleneck else "no",
                "backward": total(s.trace, s.trace.backward).macs,
            }
            for s in self.schemes
        )
        return Sheet(
            f"grid reduction from {self.input[1]}x{self.input[2]}x{self.input[0]}",
            columns,
            rows,
            self.notes,
        )


def narrowest(trace: Trace) -> int | None:
    """Elements, for one image, at the narrowest node between input and output that every path
    passes."""
    nodes = layer_graph(trace)
    sizes, at = [], nodes[-1].idom
    while at != 0:
        sizes.append(prod(nodes[at].out_shape[1:]))
        at = nodes[at].idom
    return min(sizes, default=None)


def figure10(c_in: int, c_out: int, norm: bool = False):
    """The module as Figure 10 draws it, at any width: 1x1 -> 3x3/2 and 1x1 -> 3x3 -> 3x3/2 beside
    the pool. The paper gives no
    widths; ASSUMED: the convolution branches share c_out - c_in as 9 to 11, their 1x1 take 7 and 9
    twentieths of it."""
    rest = c_out - c_in
    single = max(1, round(rest * 9 / 20))
    double = rest - single
    return modules.ReductionA(
        c_in,
        single,
        (max(1, round(rest * 9 / 20)), double, double),
        max(1, round(rest * 7 / 20)),
        norm,
    )


def _inception(c_in, c_out, norm=False):
    """A Figure 5 module of c_out channels: Inception-v3's Mixed_5d, scaled."""
    part = lambda n: max(1, round(c_out * n / 288))  # noqa: E731
    n1, n3, d3 = part(64), part(64), part(96)
    return modules.DoubleInception(
        c_in, n1, part(48), n3, (part(64), d3, d3), c_out - n1 - n3 - d3, norm=norm
    )


def schemes(
    d: int, c_in: int, c_out: int, kernel: int = 3, pool: str = "valid", body: str = "conv"
):
    """(name, factory) of each scheme."""
    what = f"{kernel}x{kernel} convolution" if body == "conv" else "Figure 5 module"
    make_body = (lambda: None) if body == "conv" else (lambda: _inception(c_in, c_out))
    yield f"pool, then {what}", lambda: modules.PoolThenConv(c_in, c_out, kernel, make_body(), pool)
    yield f"{what}, then pool", lambda: modules.ConvThenPool(c_in, c_out, kernel, make_body(), pool)
    yield (
        f"stride-2 {kernel}x{kernel} beside the pool",
        lambda: modules.ParallelReduction(c_in, c_out, kernel, pool),
    )
    if pool == "valid" and c_out - c_in >= 8:  # below, a branch would have no filters
        yield "Figure 10's module (widths assumed)", lambda: figure10(c_in, c_out)


def grid(
    d: int = 35,
    c_in: int = 320,
    c_out: int = 640,
    kernel: int = 3,
    pool: str = "valid",
    body: str = "conv",
    *,
    train: bool = False,
) -> GridReduction:
    """Trace the schemes, with `train` their backward passes too. `body`: "conv", one kernel x
    kernel convolution, or "inception", a Figure 5 module of that width.

    Raises ValueError for widths, a grid or a kernel that cannot be built."""
    if pool not in POOLS or body not in ("conv", "inception"):
        raise ValueError(
            f"unknown {'pool' if pool not in POOLS else 'body'}; choose "
            f"{', '.join(POOLS) if pool not in POOLS else 'conv or inception'}"
        )
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"kernel {kernel} does not keep the grid; choose an odd one")
    if c_out <= c_in or c_in < 1:
        raise ValueError(
            f"a reduction from {c_in} to {c_out} channels has no room beside the pool; c_out is "
            f"greater than c_in"
        )
    if d < max(4, kernel):
        raise ValueError(f"a {d}x{d} grid is too small for kernel {kernel}; choose a larger one")
    if body == "inception" and c_out < 64:
        raise ValueError(
            f"a Figure 5 module of {c_out} channels has branches without any; choose c_out from 64"
        )
    if pool == "2x2" and d % 2:
        raise ValueError(f"2x2 pooling halves an even grid; {d} is odd, so choose valid or padded")
    found = []
    for name, make in schemes(d, c_in, c_out, kernel, pool, body):
        trace = traced(make, (1, c_in, d, d), spec=name, backward=train)
        t, out = total(trace), trace.tensors[trace.outputs[0]].shape[1:]
        low = narrowest(trace)
        found.append(
            Scheme(
                name,
                t.params,
                t.macs,
                out,
                t.activations,
                low,
                low is not None and low < min(c_in * d * d, prod(out)),
                trace,
            )
        )
    side = found[0].out[1]
    notes = (
        f"exact ratio of the first two: ({d}/{side})^2 = {(d / side) ** 2:.4f}; the paper's 4 is "
        f"for grids that halve exactly",
        f"input {c_in * d * d:,} elements; the narrowest place is where all data must pass; a "
        f"bottleneck is narrower than input and output",
        "counts by tracing each module on meta; params with biases; one MAC = one multiply-add",
    )
    return GridReduction((c_in, d, d), tuple(found), notes)


@dataclass(frozen=True)
class Reduction:
    """A place of a model where the grid shrinks. `before`, `after`: (channels, H, W) of the whole
    scheme; `narrowest` elements of one image
    right after a pool that stands alone (None: no such place), `bottleneck` where that is fewer
    than before and than after what follows.
    `macs` (multiply-adds, one run) of its convolution now, `parallel` the same grid and channels
    by a strided convolution beside the pool
    (None: no such form)."""

    place: str
    scheme: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    narrowest: int | None
    bottleneck: bool
    macs: int
    parallel: int | None

    @property
    def saved(self) -> int:
        """MACs that the parallel form saves."""
        return 0 if self.parallel is None else self.macs - self.parallel


def _plain(node):
    return (
        node.kind == "conv"
        and node.groups == 1
        and len(node.kernel) == 2
        and max(node.kernel) > 1
        and set(node.dilation) == {1}
    )


def _parallel(before, after, kernel, stride, batch):
    """MACs, traced, of a strided convolution to the channels that the pool does not bring; None
    where there are none."""
    (c_in, *grid), (c_out, *out) = before, after
    if c_out <= c_in or c_in <= IMAGE:
        return None
    frame = [
        (o - 1) * s + k - g for g, o, k, s in zip(grid, out, kernel, stride, strict=False)
    ]  # negative: the grid is cropped
    vertical, horizontal = frame
    pads = (horizontal // 2, horizontal - horizontal // 2, vertical // 2, vertical - vertical // 2)

    def make() -> nn.Sequential:
        conv = nn.Conv2d(c_in, c_out - c_in, kernel, stride)
        return nn.Sequential(nn.ZeroPad2d(pads), conv)

    return total(traced(make, (batch, *before))).macs


def _module(node: Node) -> str:
    """The path of the module that a layer is."""
    return node.op.module if node.op else ""


def reductions(trace: Trace) -> tuple[Reduction, ...]:
    """The places of a model where its grid shrinks, the largest saving by a parallel form
    (*Rethinking*, Section 5) first. A convolution
    and the pool before or after it are one scheme."""
    nodes = layer_graph(trace)
    readers, regions = consumers(nodes), forks(nodes)
    owner = {m: f for f in regions for m in f.members}
    macs = lambda n: total(trace, [n.op]).macs  # noqa: E731
    found, done = [], set()
    for n in nodes:
        if (
            not n.stride
            or max(n.stride) < 2
            or len(n.out_shape) != 4
            or n.kind not in ("conv", "max pool", "avg pool")
            or n.index in done
        ):
            continue
        batch, before, after = n.out_shape[0], n.in_shape[1:], n.out_shape[1:]
        fork = owner.get(n.index)
        if fork:
            done.update(fork.members)
            end = nodes[fork.end]
            work = total(trace, [op for m in fork.members for op in nodes[m].ops]).macs
            found.append(
                Reduction(
                    _module(end),
                    "branches in parallel",
                    before if n.index == fork.root else nodes[fork.root].out_shape[1:],
                    end.out_shape[1:],
                    None,
                    False,
                    work,
                    None,
                )
            )
            continue
        if n.kind == "conv":
            other = _parallel(before, after, n.kernel, n.stride, batch) if _plain(n) else None
            found.append(
                Reduction(
                    _module(n),
                    f"{_x(n.kernel)} convolution of stride {max(n.stride)}",
                    before,
                    after,
                    None,
                    False,
                    macs(n),
                    other,
                )
            )
            continue
        first, follow = nodes[n.preds[0]], readers[n.index]
        squeezed = readers[first.index] == [n.index]  # no skip goes round the pool
        last = nodes[follow[0]] if len(follow) == 1 else None
        if _plain(first) and set(first.stride) == {1} and squeezed:
            found.append(
                Reduction(
                    _module(first),
                    f"{_x(first.kernel)} convolution, then pool",
                    first.in_shape[1:],
                    after,
                    None,
                    False,
                    macs(first),
                    _parallel(first.in_shape[1:], after, first.kernel, n.stride, batch),
                )
            )
            continue
        low = prod(after)
        if last is not None and _plain(last) and set(last.stride) == {1}:
            out = last.out_shape[1:]
            found.append(
                Reduction(
                    _module(last),
                    f"pool, then {_x(last.kernel)} convolution",
                    before,
                    out,
                    low,
                    squeezed and low < min(prod(before), prod(out)),
                    macs(last),
                    _parallel(before, out, last.kernel, n.stride, batch),
                )
            )
            continue
        module = next((f for f in regions if f.root == n.index), None)
        end = nodes[module.end] if module else None
        out = end.out_shape[1:] if end else after
        work = (
            total(trace, [op for m in module.members for op in nodes[m].ops]).macs if module else 0
        )
        found.append(
            Reduction(
                _module(n),
                "pool, then a module" if module else "pool",
                before,
                out,
                low,
                squeezed and low < min(prod(before), prod(out)),
                work,
                None,
            )
        )
    return tuple(sorted(found, key=lambda r: -r.saved))


def _x(shape):
    return "x".join(map(str, shape))


def _grid_of(shape):
    return _x((*shape[1:], shape[0]))


def reduction_sheet(model: str, found, whole, top: int | None = None) -> Sheet:
    """A row a place, of all that were `found` the first `top`; `whole` the total of the model."""
    columns = (
        Column("place"),
        Column("scheme"),
        Column("from", importance=3),
        Column("to"),
        Column("narrowest", "elements", importance=2),
        Column("representational bottleneck", importance=6),
        Column("MACs", "MACs"),
        Column("MACs in parallel", "MACs"),
        Column("of the model", "%", format=".1%"),
    )
    rows = tuple(
        {
            "place": r.place,
            "scheme": r.scheme,
            "from": _grid_of(r.before),
            "to": _grid_of(r.after),
            "narrowest": r.narrowest,
            "representational bottleneck": "YES" if r.bottleneck else "no",
            "MACs": r.macs,
            "MACs in parallel": r.parallel,
            "of the model": r.saved / whole.macs if r.parallel is not None and whole.macs else None,
        }
        for r in found[:top]
    )
    more = (
        (f"{len(found)} places, of which the first {len(rows)} are shown",)
        if len(rows) < len(found)
        else ()
    )
    return Sheet(
        f"{model}: grid reductions",
        columns,
        rows,
        (
            *more,
            "in parallel: a pool, and beside it a strided convolution of the same kernel to the "
            "channels that the pool lacks (Rethinking, Figure 10, right), traced; "
            "of the model: MACs saved. It is another function, to be trained and measured",
            "a representational bottleneck is a pool alone, with no skip round it, whose output "
            "is narrower than its input and than what follows; one MAC = one multiply-add",
        ),
    )
