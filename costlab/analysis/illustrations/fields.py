"""Mini-networks over pixels (*Rethinking*, Figures 1 and 3): which inputs one output depends on,
layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from torch import nn

from ..._result import Charted
from ...cost import total
from ...graph import layer_graph
from ...tables import Column, Sheet
from . import notes
from ...trace.build import traced

Kernel = tuple[int, int]
LARGEST = 31  # inputs a side that can still be told apart in a drawing


@dataclass(frozen=True)
class Layer:
    """A convolution: its `kernel` as (height, width), the `grid` of its output, and `weights`
    between one pair of maps."""

    kernel: Kernel
    grid: Kernel
    weights: int


@dataclass(frozen=True)
class Chain:
    """Convolutions in a row of which one output is looked at. `field`: the inputs that it depends
    on, as (height, width); `macs`: multiply-adds for this one output and one pair of maps, without
    what it shares with the outputs beside it."""

    layers: tuple[Layer, ...]
    field: Kernel
    macs: int

    @property
    def name(self) -> str:
        """As "3x3 + 3x3"."""
        return " + ".join(f"{h}x{w}" for h, w in (layer.kernel for layer in self.layers))

    @property
    def weights(self) -> int:
        """Between one pair of maps."""
        return sum(layer.weights for layer in self.layers)

    def paths(self, depth: int) -> tuple[tuple[int, ...], ...]:
        """For each value that enters layer `depth` (0: the inputs), the number of paths from it to
        the output, a row a line of the grid."""
        counts = ((1,),)
        for layer in reversed(self.layers[depth:]):
            counts = _spread(counts, layer.kernel)
        return counts


def _spread(counts: tuple[tuple[int, ...], ...], kernel: Kernel) -> tuple[tuple[int, ...], ...]:
    """The paths of a layer's inputs from those of its outputs, at stride 1."""
    (height, width), rows, columns = kernel, len(counts), len(counts[0])
    return tuple(
        tuple(
            sum(
                counts[y - dy][x - dx]
                for dy in range(height)
                for dx in range(width)
                if 0 <= y - dy < rows and 0 <= x - dx < columns
            )
            for x in range(columns + width - 1)
        )
        for y in range(rows + height - 1)
    )


@dataclass(frozen=True)
class Fields(Charted):
    """Chains of convolutions, as a large one and those that replace it."""

    chains: tuple[Chain, ...]

    chart_kind = "fields"

    @property
    def sheet(self) -> Sheet:
        """A row a chain."""
        first = self.chains[0]
        rows = tuple(
            {
                "convolutions": chain.name,
                "layers": len(chain.layers),
                "receptive field": f"{chain.field[0]}x{chain.field[1]}",
                "weights": chain.weights,
                "to the first": chain.weights / first.weights,
                "paths from the middle": _middle(chain.paths(0)),
                "paths from a corner": chain.paths(0)[0][0],
            }
            for chain in self.chains
        )
        return Sheet("what one output depends on", _COLUMNS, rows, notes.FIELDS)


_COLUMNS = (
    Column("convolutions"),
    Column("layers"),
    Column("receptive field"),
    Column("weights"),
    Column("to the first", "x", format=".4f"),
    Column("paths from the middle"),
    Column("paths from a corner"),
)


def _middle(grid: tuple[tuple[int, ...], ...]) -> int:
    row = grid[len(grid) // 2]
    return row[len(row) // 2]


def kernels_of(text: str) -> tuple[Kernel, ...]:
    """A chain as it is written: "5x5", "3x3+3x3", "1x3+3x1".

    Raises ValueError for anything else."""
    try:
        kernels = tuple(_kernel(part) for part in text.split("+"))
    except ValueError:
        raise ValueError(f"cannot read {text!r}; write kernels as 5x5 or 1x3+3x1") from None
    return kernels


def _kernel(text: str) -> Kernel:
    height, width = map(int, text.strip().split("x"))
    if min(height, width) < 1:
        raise ValueError
    return height, width


def fields(chains: Sequence[Sequence[Kernel]]) -> Fields:
    """Trace each chain of kernels on the inputs that one output depends on, with one map.

    Raises ValueError for no chain, and for one that sees more than 31 inputs a side."""
    if not chains or not all(chains):
        raise ValueError("name at least one chain of kernels, such as 5x5 or 3x3+3x3")
    return Fields(tuple(_chain(tuple(kernels)) for kernels in chains))


def _chain(kernels: tuple[Kernel, ...]) -> Chain:
    side = tuple(1 + sum(kernel[axis] - 1 for kernel in kernels) for axis in (0, 1))
    if max(side) > LARGEST:
        raise ValueError(
            f"{side[0]}x{side[1]} inputs are too many to draw; choose kernels that see up to "
            f"{LARGEST}x{LARGEST}"
        )
    trace = traced(partial(_convolutions, kernels), (1, 1, *side), spec="pixels")
    nodes = [node for node in layer_graph(trace) if node.kind == "conv"]
    layers = tuple(
        Layer(
            (node.kernel[0], node.kernel[1]),
            (node.out_shape[2], node.out_shape[3]),
            sum(trace.params[p].numel for p in node.weights),
        )
        for node in nodes
    )
    height, width = nodes[-1].field or side
    return Chain(layers, (height, width), total(trace).macs)


def _convolutions(kernels: tuple[Kernel, ...]) -> nn.Sequential:
    return nn.Sequential(*(nn.Conv2d(1, 1, kernel, bias=False) for kernel in kernels))
