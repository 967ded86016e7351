"""Naive against reduced Inception modules: *Going Deeper with Convolutions*, Figure 2(a) and 2(b)."""

from __future__ import annotations

from dataclasses import dataclass

from ..cost import total
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace.build import traced
from ..zoo import modules
from ..zoo.googlenet import TABLE1, googlenet

GRIDS = {"3": 28, "4": 14, "5": 7}


@dataclass(frozen=True)
class Pair:
    """One module both ways on the same input: (naive, reduced) params in elements and MACs in multiply-adds; `out` channels."""

    name: str
    input: tuple[int, int]
    params: tuple[int, int]
    macs: tuple[int, int]
    out: tuple[int, int]
    traces: tuple[Trace, Trace]


@dataclass(frozen=True)
class Bottleneck:
    """Module by module, and chained over the network where the naive one's channels grow."""

    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a module."""
        columns = (
            Column("module"),
            Column("input"),
            Column("naive MACs", "MACs"),
            Column("reduced MACs", "MACs"),
            Column("times", "x", format=".3f"),
            Column("naive params", "params"),
            Column("reduced params", "params"),
            Column("naive channels", "count"),
            Column("reduced channels", "count"),
            *(
                (Column("naive backward", "MACs"), Column("reduced backward", "MACs"))
                if self.pairs[0].traces[0].trained
                else ()
            ),
        )
        rows = tuple(
            {
                "module": p.name,
                "input": f"{p.input[1]}x{p.input[1]}x{p.input[0]}" if p.input[1] else "224x224x3",
                "naive MACs": p.macs[0],
                "reduced MACs": p.macs[1],
                "times": p.macs[0] / p.macs[1],
                "naive params": p.params[0],
                "reduced params": p.params[1],
                "naive channels": p.out[0],
                "reduced channels": p.out[1],
                **dict(
                    zip(
                        ("naive backward", "reduced backward"),
                        (total(t, t.backward).macs for t in p.traces),
                    )
                ),
            }
            for p in self.pairs
        )
        return Sheet("naive against reduced Inception modules", columns, rows, self.notes)


def pair(name: str, c_in: int, grid: int, widths, train: bool = False) -> Pair:
    """One module, with `train` its backward pass too: `widths` #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj. Raises ValueError for widths below 1."""
    if len(widths) != 6 or min(*widths, c_in, grid) < 1:
        raise ValueError(
            "a module has six widths from 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj"
        )
    n1, n3r, n3, n5r, n5, proj = widths
    found = []
    for make in (
        lambda: modules.NaiveInception(c_in, n1, n3, n5),
        lambda: modules.Inception(c_in, n1, n3r, n3, n5r, n5, proj),
    ):
        trace = traced(make, (1, c_in, grid, grid), backward=train)
        found.append((total(trace), trace.tensors[trace.outputs[0]].shape[1], trace))
    (a, wa, ta), (b, wb, tb) = found
    return Pair(name, (c_in, grid), (a.params, b.params), (a.macs, b.macs), (wa, wb), (ta, tb))


def bottleneck(train: bool = False) -> Bottleneck:
    """GoogLeNet's nine modules on their own inputs, then the whole network chained; with `train` the backward pass too."""
    pairs, c_in = [], 192
    for name, widths in TABLE1.items():
        pairs.append(pair(f"inception ({name})", c_in, GRIDS[name[0]], widths, train))
        c_in = pairs[-1].out[1]
    nets = [
        traced(lambda: googlenet(naive=naive), (1, 3, 224, 224), backward=train)
        for naive in (True, False)
    ]  # noqa: B023
    totals = [total(t) for t in nets]
    heads = [t.params[-2].shape[1] for t in nets]
    pairs.append(
        Pair(
            "GoogLeNet, chained",
            (3, 0),
            tuple(t.params for t in totals),
            tuple(t.macs for t in totals),
            tuple(heads),
            tuple(nets),
        )
    )
    return Bottleneck(
        tuple(pairs),
        (
            "naive: 1x1, 3x3 and 5x5 straight on the input, and a pool that passes all its channels on (Figure 2(a)); reduced: Figure 2(b)",
            "each module on the reduced network's input; chained, the naive network's channels grow with every pool",
            "counts by tracing both; params with biases; one MAC = one multiply-add",
        ),
    )
