"""What an operation does to positions: moves that bring a tensor to the output's shape."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]
Positions = npt.NDArray[np.int64]

NOWHERE = int(np.iinfo(np.int64).min)  # a tap that no position answers


@dataclass(frozen=True)
class Permute:
    """Dimension i of the result is dimension `order[i]`."""

    order: tuple[int, ...]


@dataclass(frozen=True)
class Reshape:
    """The same elements in the same order, as `shape`."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Insert:
    """A dimension of size 1 before `dim`."""

    dim: int


@dataclass(frozen=True, eq=False)
class Windows:
    """Along `dim`, output position i sees the input positions `taps[i]` (NOWHERE: none); those
    outside the input are padding. `stride`: input positions between neighbours of the output."""

    dim: int
    taps: Positions
    stride: Fraction = Fraction(1)


@dataclass(frozen=True)
class Mix:
    """Along `dim`, each of `size` outputs sees all inputs; `features` where the outputs are new
    channels of what was there."""

    dim: int
    size: int
    features: bool = False


@dataclass(frozen=True)
class Reduce:
    """The dimensions `dims` become one value; they stay with size 1 where `keep`."""

    dims: tuple[int, ...]
    keep: bool


@dataclass(frozen=True)
class Scatter:
    """Along `dim`, `size` outputs come from positions that depend on values."""

    dim: int
    size: int


@dataclass(frozen=True)
class Everything:
    """Every output sees all of the tensor."""


Move = Permute | Reshape | Insert | Windows | Mix | Reduce | Scatter | Everything


@dataclass(frozen=True)
class Operand:
    """An input tensor (by its place among the inputs) and the moves that bring it to the output's
    shape, but for broadcasting."""

    place: int
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True)
class Plan:
    """`operands` are broadcast together, or joined along dimension `concat`. `roles`: what the
    operation takes each dimension of its first operand to be. `features`: (output dimension,
    operand, its dimension) of channels that a product makes of that dimension. `channels`: an
    output dimension that holds new channels."""

    operands: tuple[Operand, ...]
    concat: int | None = None
    roles: tuple[tuple[int, str], ...] = ()
    features: tuple[int, int, int] | None = None
    channels: int | None = None
