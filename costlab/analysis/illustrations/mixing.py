"""A 1x1 convolution between a few maps: a linear layer at each position (the note's "1x1
convolution", NIN Section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import nn

from ..._result import Charted
from ...cost import total
from ...tables import Column, Sheet
from ...trace.build import traced
from . import notes

MOST = 12  # maps whose lines can still be told apart


@dataclass(frozen=True)
class Mixing(Charted):
    """`c_in` maps of `side` x `side` to `c_out`: `weights` and `biases` elements, `macs`
    multiply-adds; `linear_macs` those of a linear layer of the same widths on one position."""

    c_in: int
    c_out: int
    side: int
    weights: int
    biases: int
    macs: int
    linear_macs: int

    chart_kind = "mixing"

    @property
    def sheet(self) -> Sheet:
        """One row."""
        row = {
            "maps": f"{self.c_in} to {self.c_out}",
            "grid": f"{self.side}x{self.side}",
            "weights": self.weights,
            "biases": self.biases,
            "MACs": self.macs,
            "MACs a position": self.macs // self.side**2,
            "MACs of a linear layer": self.linear_macs,
        }
        columns = (
            Column("maps"),
            Column("grid"),
            Column("weights"),
            Column("biases"),
            Column("MACs", "MACs"),
            Column("MACs a position", "MACs"),
            Column("MACs of a linear layer", "MACs"),
        )
        return Sheet(
            f"1x1 convolution, {self.c_in} to {self.c_out} maps", columns, (row,), notes.MIXING
        )


def mixing(c_in: int = 4, c_out: int = 2, side: int = 6) -> Mixing:
    """Trace a 1x1 convolution with biases, and a linear layer of the same widths.

    Raises ValueError for fewer than one map or position, and for more than can be drawn."""
    if min(c_in, c_out, side) < 1 or max(c_in, c_out, side) > MOST:
        raise ValueError(f"{c_in} to {c_out} maps of {side}x{side}: choose each from 1 to {MOST}")
    conv = traced(partial(nn.Conv2d, c_in, c_out, 1), (1, c_in, side, side), spec="1x1")
    linear = traced(partial(nn.Linear, c_in, c_out), (1, c_in), spec="linear")
    weights, biases = (
        sum(p.numel for p in conv.params if (len(p.shape) > 1) is many) for many in (True, False)
    )
    return Mixing(c_in, c_out, side, weights, biases, total(conv).macs, total(linear).macs)
