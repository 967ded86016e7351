"""Kernels whose time is mostly for moving values: elementwise functions, softmax, copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .kernel import Kernel, log, one_hot


@dataclass(frozen=True)
class Elementwise(Kernel):
    """A function of each of `elements`. `function`: the name of one that takes as long. `second`:
    elements of a second operand, 0 where there is none; fewer than `elements` are broadcast."""

    function: str
    elements: int
    second: int = 0
    in_place: bool = False
    strided: bool = False

    family = "elementwise"
    functions: ClassVar[tuple[str, ...]] = (
        *("relu", "add", "mul", "gelu", "silu", "sigmoid", "tanh", "hardswish", "div", "pow"),
    )

    @property
    def flops(self) -> float:
        return float(self.elements)

    @property
    def weights(self) -> int:
        return self.second

    @property
    def read(self) -> int:
        return self.elements + self.second

    @property
    def written(self) -> int:
        return self.elements

    @property
    def fresh(self) -> int:
        return 0 if self.in_place else self.written

    @property
    def features(self) -> tuple[float, ...]:
        broadcast = 0 < self.second < self.elements
        return (
            *one_hot(self.function, self.functions),
            log(self.elements),
            1.5 * (self.second > 0),
            1.5 * broadcast,
            1.0 * self.in_place,
            2.0 * self.strided,
        )


@dataclass(frozen=True)
class Softmax(Kernel):
    """Softmax over `columns` of each of `rows`."""

    rows: int
    columns: int

    family = "softmax"

    @property
    def flops(self) -> float:
        return 5.0 * self.rows * self.columns

    @property
    def read(self) -> int:
        return self.rows * self.columns

    @property
    def written(self) -> int:
        return self.read

    @property
    def features(self) -> tuple[float, ...]:
        return log(self.rows), log(self.columns), log(self.read)


@dataclass(frozen=True)
class Concatenation(Kernel):
    """`inputs` tensors joined: `outer` times `joined` elements, which are next to one another."""

    inputs: int
    outer: int
    joined: int

    family = "concatenation"
    layouts = True

    @property
    def flops(self) -> float:
        return 0.0

    @property
    def read(self) -> int:
        return self.outer * self.joined

    @property
    def written(self) -> int:
        return self.read

    @property
    def features(self) -> tuple[float, ...]:
        return log(self.read), log(self.outer), log(self.inputs)


@dataclass(frozen=True)
class Copy(Kernel):
    """`elements` copied; `strided`: into another order."""

    elements: int
    strided: bool = False

    family = "copy"

    @property
    def flops(self) -> float:
        return 0.0

    @property
    def read(self) -> int:
        return self.elements

    @property
    def written(self) -> int:
        return self.elements

    @property
    def features(self) -> tuple[float, ...]:
        return log(self.elements), 4.0 * self.strided
