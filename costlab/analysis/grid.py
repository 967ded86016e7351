"""Grid reductions: *Rethinking the Inception Architecture*, Section 5, Figures 9 and 10, each scheme traced."""
from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch

from ..cost import total
from ..graph import layer_graph
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace._build import build_on_meta
from ..trace._tracer import trace as run
from ..zoo import modules

POOLS = ("valid", "padded", "2x2")


@dataclass(frozen=True)
class Scheme:
    """One way from d x d x c_in to half the grid: `params` elements, `macs` multiply-adds; `narrowest` elements at the narrowest
    place that all data passes, before the output (None: there is no such place); `bottleneck` where that is narrower than
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
class GridReduction:
    """The schemes for one grid and one pair of widths; ratios are to the first, pool then convolution."""

    input: tuple[int, ...]
    schemes: tuple[Scheme, ...]
    notes: tuple[str, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a scheme."""
        first = self.schemes[0]
        columns = (Column("scheme"), Column("output"), Column("params", "params"), Column("MACs", "MACs"), Column("to pool first", "x", format=".4f"),
                   Column("activations", "elements"), Column("narrowest", "elements"), Column("representational bottleneck"))
        rows = tuple({"scheme": s.name, "output": "x".join(map(str, (*s.out[1:], s.out[0]))), "params": s.params, "MACs": s.macs,
                      "to pool first": s.macs / first.macs if first.macs else None, "activations": s.activations, "narrowest": s.narrowest,
                      "representational bottleneck": "YES" if s.bottleneck else "no"} for s in self.schemes)
        return Sheet(f"grid reduction from {self.input[1]}x{self.input[2]}x{self.input[0]}", columns, rows, self.notes)


def narrowest(trace: Trace) -> int | None:
    """Elements, for one image, at the narrowest node between input and output that every path passes."""
    nodes = layer_graph(trace)
    sizes, at = [], nodes[-1].idom
    while at != 0:
        sizes.append(prod(nodes[at].out_shape[1:]))
        at = nodes[at].idom
    return min(sizes, default=None)


def figure10(c_in: int, c_out: int, norm: bool = False):
    """The module as Figure 10 draws it, at any width: 1x1 -> 3x3/2 and 1x1 -> 3x3 -> 3x3/2 beside the pool. The paper gives no
    widths; ASSUMED: the convolution branches share c_out - c_in as 9 to 11, their 1x1 take 7 and 9 twentieths of it."""
    rest = c_out - c_in
    single = max(1, round(rest * 9 / 20))
    double = rest - single
    return modules.ReductionA(c_in, single, (max(1, round(rest * 9 / 20)), double, double), max(1, round(rest * 7 / 20)), norm)


def _inception(c_in, c_out, norm=False):
    """A Figure 5 module of c_out channels: Inception-v3's Mixed_5d, scaled."""
    part = lambda n: max(1, round(c_out * n / 288))  # noqa: E731
    n1, n3, d3 = part(64), part(64), part(96)
    return modules.DoubleInception(c_in, n1, part(48), n3, (part(64), d3, d3), c_out - n1 - n3 - d3, norm=norm)


def grid(d: int = 35, c_in: int = 320, c_out: int = 640, kernel: int = 3, pool: str = "valid", body: str = "conv") -> GridReduction:
    """Trace the schemes. `body`: "conv", one kernel x kernel convolution, or "inception", a Figure 5 module of that width.

    Raises ValueError for widths, a grid or a kernel that cannot be built."""
    if pool not in POOLS or body not in ("conv", "inception"):
        raise ValueError(f"unknown {'pool' if pool not in POOLS else 'body'}; choose {', '.join(POOLS) if pool not in POOLS else 'conv or inception'}")
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"kernel {kernel} does not keep the grid; choose an odd one")
    if c_out <= c_in or c_in < 1:
        raise ValueError(f"a reduction from {c_in} to {c_out} channels has no room beside the pool; c_out is greater than c_in")
    if d < max(4, kernel):
        raise ValueError(f"a {d}x{d} grid is too small for kernel {kernel}; choose a larger one")
    if pool == "2x2" and d % 2:
        raise ValueError(f"2x2 pooling halves an even grid; {d} is odd, so choose valid or padded")
    what = f"{kernel}x{kernel} convolution" if body == "conv" else "Figure 5 module"
    make_body = (lambda: None) if body == "conv" else (lambda: _inception(c_in, c_out))
    makers = [(f"pool, then {what}", lambda: modules.PoolThenConv(c_in, c_out, kernel, make_body(), pool)),
              (f"{what}, then pool", lambda: modules.ConvThenPool(c_in, c_out, kernel, make_body(), pool)),
              (f"stride-2 {kernel}x{kernel} beside the pool", lambda: modules.ParallelReduction(c_in, c_out, kernel, pool))]
    if pool == "valid":
        makers.append(("Figure 10's module (widths assumed)", lambda: figure10(c_in, c_out)))
    schemes = []
    for name, make in makers:
        trace = run(build_on_meta(make), torch.empty(1, c_in, d, d, device="meta"), device="meta", spec=name)
        t, out = total(trace), trace.tensors[trace.outputs[0]].shape[1:]
        low = narrowest(trace)
        schemes.append(Scheme(name, t.params, t.macs, out, t.activations, low, low is not None and low < min(c_in * d * d, prod(out)), trace))
    side = schemes[0].out[1]
    notes = (f"exact ratio of the first two: ({d}/{side})^2 = {(d / side) ** 2:.4f}; the paper's 4 is for grids that halve exactly",
             f"input {c_in * d * d:,} elements; the narrowest place is where all data must pass; a bottleneck is narrower than input and output",
             "counts by tracing each module on meta; params with biases; one MAC = one multiply-add")
    return GridReduction((c_in, d, d), tuple(schemes), notes)
