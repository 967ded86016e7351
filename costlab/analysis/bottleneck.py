"""Naive against reduced Inception modules: *Going Deeper with Convolutions*, Figure 2(a) and
2(b)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from .._result import Charted, Drawn
from ..cost import total
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace.build import traced
from ..zoo import modules
from ..zoo.googlenet import TABLE1, googlenet
from . import notes

GRIDS = {"3": 28, "4": 14, "5": 7}


@dataclass(frozen=True)
class Form:
    """One of the two forms: `params` elements, `macs` multiply-adds, `channels` that come out;
    `backward_macs` where the backward pass was traced, otherwise None."""

    params: int
    macs: int
    channels: int
    backward_macs: int | None
    trace: Trace


@dataclass(frozen=True)
class Pair:
    """One module both ways on the same input, `c_in` channels of a `grid` x `grid` image; or, with
    `whole`, the network made of them."""

    name: str
    c_in: int
    grid: int
    naive: Form
    reduced: Form
    whole: bool = False

    @property
    def times(self) -> float:
        """How many times the MACs of the reduced form the naive one has."""
        return self.naive.macs / self.reduced.macs


@dataclass(frozen=True)
class Bottleneck(Charted, Drawn):
    """Module by module, and chained over the network where the naive one's channels grow."""

    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]

    chart_kind = "bottleneck"

    @property
    def drawings(self) -> list[tuple[str, Trace]]:
        """The first module, naive and reduced."""
        first = self.pairs[0]
        return [
            (f"{first.name}, naive", first.naive.trace),
            (f"{first.name}, reduced", first.reduced.trace),
        ]

    @property
    def sheet(self) -> Sheet:
        """A row a module."""
        trained = self.pairs[0].naive.backward_macs is not None
        columns = (*_COLUMNS, *_BACKWARD) if trained else _COLUMNS
        rows = tuple(_row(pair) for pair in self.pairs)
        return Sheet("naive against reduced Inception modules", columns, rows, self.notes)


_COLUMNS = (
    Column("module"),
    Column("input"),
    Column("naive MACs", "MACs"),
    Column("reduced MACs", "MACs"),
    Column("times", "x", format=".3f"),
    Column("naive params", "params"),
    Column("reduced params", "params"),
    Column("naive channels", "count", importance=3),
    Column("reduced channels", "count", importance=3),
)
_BACKWARD = (Column("naive backward", "MACs"), Column("reduced backward", "MACs"))


def _row(pair: Pair) -> dict[str, Any]:
    return {
        "module": pair.name,
        "input": f"{pair.grid}x{pair.grid}x{pair.c_in}",
        "naive MACs": pair.naive.macs,
        "reduced MACs": pair.reduced.macs,
        "times": pair.times,
        "naive params": pair.naive.params,
        "reduced params": pair.reduced.params,
        "naive channels": pair.naive.channels,
        "reduced channels": pair.reduced.channels,
        "naive backward": pair.naive.backward_macs,
        "reduced backward": pair.reduced.backward_macs,
    }


def pair(name: str, c_in: int, grid: int, widths: Sequence[int], train: bool = False) -> Pair:
    """One module both ways, with `train` the backward pass too.

    `widths`: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj.

    Raises ValueError for anything but six widths from 1."""
    if len(widths) != 6 or min(*widths, c_in, grid) < 1:
        raise ValueError(
            "a module has six widths from 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj"
        )
    n1, _, n3, _, n5, _ = widths
    shape = (1, c_in, grid, grid)
    naive = _form(partial(modules.NaiveInception, c_in, n1, n3, n5), shape, train)
    reduced = _form(partial(modules.Inception, c_in, *widths), shape, train)
    return Pair(name, c_in, grid, naive, reduced)


def _form(make: Callable[[], nn.Module], shape: tuple[int, ...], train: bool) -> Form:
    trace = traced(make, shape, backward=train)
    return _counted(trace, trace.tensors[trace.outputs[0]].shape[1])


def _counted(trace: Trace, channels: int) -> Form:
    cost = total(trace)
    backward = total(trace, trace.backward).macs if trace.trained else None
    return Form(cost.params, cost.macs, channels, backward, trace)


def one_module(
    widths: Sequence[int], *, c_in: int = 192, grid: int = 28, train: bool = False
) -> Bottleneck:
    """A module of your own; arguments and errors as of `pair`."""
    return Bottleneck((pair("module", c_in, grid, widths, train),), notes.one_bottleneck())


def bottleneck(train: bool = False) -> Bottleneck:
    """GoogLeNet's nine modules on their own inputs, then the whole network chained; with `train`
    the backward pass too."""
    pairs: list[Pair] = []
    c_in = 192
    for name, widths in TABLE1.items():
        pairs.append(pair(f"inception ({name})", c_in, GRIDS[name[0]], widths, train))
        c_in = pairs[-1].reduced.channels
    pairs.append(_chained(train))
    return Bottleneck(tuple(pairs), notes.bottlenecks())


def _chained(train: bool) -> Pair:
    """The network of naive modules, and the network as it is; channels are those of the head."""
    naive, reduced = (
        traced(partial(googlenet, naive=which), (1, 3, 224, 224), backward=train)
        for which in (True, False)
    )
    forms = [_counted(t, t.params[-2].shape[1]) for t in (naive, reduced)]
    return Pair("GoogLeNet, chained", 3, 224, *forms, whole=True)
