"""Kernels over sequences: recurrent layers, lookups of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .kernel import Kernel, log, one_hot
from .moving import Copy
from .multiplying import Product

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@dataclass(frozen=True)
class Recurrent(Kernel):
    """`layers` of a recurrent network with `hidden` units, `bidirectional` or not, over `steps` of
    `batch` sequences, `inputs` wide. `kind`: "LSTM", "GRU" or "RNN". One call: devices run it
    fused."""

    kind: str
    steps: int
    batch: int
    inputs: int
    hidden: int
    layers: int = 1
    bidirectional: bool = False
    bias: bool = True

    family = "recurrent"
    kinds: ClassVar[tuple[str, ...]] = tuple(GATES)

    @property
    def directions(self) -> int:
        """1 or 2."""
        return 1 + self.bidirectional

    @property
    def weights(self) -> int:
        gates = GATES[self.kind] * self.hidden
        first = self.inputs + self.hidden
        later = (self.directions + 1) * self.hidden
        biases = 2 * self.bias * self.layers
        return self.directions * gates * (first + (self.layers - 1) * later + biases)

    @property
    def flops(self) -> float:
        return 2.0 * self.steps * self.batch * self.weights

    @property
    def products(self) -> tuple[int, int, int, int]:
        """As if every step were a product, one after the other."""
        gates = GATES[self.kind] * self.hidden
        inner = self.weights // (self.directions * gates)
        return self.steps * self.directions, self.batch, gates, inner

    @property
    def read(self) -> int:
        return self.steps * self.batch * self.inputs + self.weights

    @property
    def written(self) -> int:
        return self.steps * self.batch * self.hidden * self.directions

    @property
    def features(self) -> tuple[float, ...]:
        return (
            *one_hot(self.kind, self.kinds),
            log(self.steps),
            log(self.batch),
            log(self.inputs),
            log(self.hidden),
            log(self.layers),
            1.0 * self.bidirectional,
        )

    @property
    def relative(self) -> Product:
        """All steps side by side, which is faster than one after the other."""
        _, _, gates, inner = self.products
        return Product(1, self.steps * self.batch, gates * self.directions, inner)


@dataclass(frozen=True)
class Lookup(Kernel):
    """`rows` of a table of `table` rows, each `width` elements."""

    rows: int
    width: int
    table: int

    family = "lookup"

    @property
    def flops(self) -> float:
        return 0.0

    @property
    def weights(self) -> int:
        return min(self.rows, self.table) * self.width

    @property
    def read(self) -> int:
        return self.rows * self.width

    @property
    def operands(self) -> int:
        return self.table * self.width

    @property
    def written(self) -> int:
        return self.rows * self.width

    @property
    def features(self) -> tuple[float, ...]:
        return log(self.written), log(self.width), log(self.table) / 2

    @property
    def relative(self) -> Copy:
        """As many elements, which are next to one another."""
        return Copy(self.written)
