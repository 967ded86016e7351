"""The registry of operators: what each computes, in the torch operations that a model would use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast, overload

import torch
from torch import Tensor
from torch.utils._python_dispatch import (
    _disable_current_modes as unrecorded,  # pyright: ignore[reportPrivateUsage]
)

from ..._text import shown
from ._attributes import INTS, Kind

Data = Tensor | list[Tensor] | None  # what an operator takes or gives: None is left out
Compute = Callable[..., Data | tuple[Data, ...]]

_SomeCompute = TypeVar("_SomeCompute", bound=Compute)
_T = TypeVar("_T")
_Default = TypeVar("_Default")
_REQUIRED = object()
_SHORT = 80  # characters of a name in a message


@dataclass(frozen=True)
class Node:
    """One operator of a graph. `inputs` and `outputs` are the names of values, "" where an optional
    one is left out; `attrs` are by their ONNX names; `opset` is the version of its domain.
    `integer`: the operands are values that 8-bit integers stand for, which runtimes multiply."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, object]
    opset: int
    name: str
    integer: bool = False

    @overload
    def get(self, name: str, kind: Kind[_T]) -> _T: ...

    @overload
    def get(self, name: str, kind: Kind[_T], default: _Default) -> _T | _Default: ...

    def get(self, name: str, kind: Kind[_T], default: object = _REQUIRED) -> object:
        """An attribute. Raises ValueError for one of another kind, and for one that is not there
        and has no default."""
        if name in self.attrs:
            value = self.attrs[name]
            if not kind.holds(value):
                raise ValueError(f"{self.label}: {name} is not {kind.name}")
            return value
        if default is _REQUIRED:
            raise ValueError(f"{self.label} has no attribute {name}")
        return default

    @property
    def label(self) -> str:
        """The operator in a message."""
        return short(f"{self.operator} ({self.name or self.outputs[0]})")


@dataclass(frozen=True)
class Operator:
    """How an operator is computed. `compute(node, *inputs)` gives a tensor or a tuple of them.

    `scalars`: constants of one element and at most so many dimensions are handed over as Python
    numbers, as models write them.
    `weights`: the places of inputs that hold weights, biases or scales where they are constant."""

    compute: Compute
    scalars: int = -1
    weights: tuple[int, ...] = ()


OPERATORS: dict[str, Operator] = {}


def operator(
    *names: str, scalars: int = -1, weights: tuple[int, ...] = ()
) -> Callable[[_SomeCompute], _SomeCompute]:
    """Register `fn(node, *inputs)` for operators such as "Conv" or "com.microsoft.FusedConv"."""

    def register(fn: _SomeCompute) -> _SomeCompute:
        for name in names:
            OPERATORS[name] = Operator(fn, scalars, weights)
        return fn

    return register


def short(name: str) -> str:
    """A name of the file in a message: one line, not long."""
    return shown(name if len(name) <= _SHORT else f"{name[: _SHORT - 3]}...")


def ints(value: Tensor) -> list[int]:
    """The integers of a constant operand: a shape, axes, repeats."""
    return [int(v) for v in floats(value)]


def floats(value: Tensor) -> list[float]:
    """The numbers of a constant operand."""
    with unrecorded():
        return cast("list[float]", value.flatten().tolist())  # pyright: ignore[reportUnknownMemberType]


def number(value: Tensor) -> float:
    """The only element of a constant operand."""
    with unrecorded():
        return value.flatten()[0].item()


def axes(node: Node, operand: Tensor | None) -> list[int] | None:
    """The axes of an operator: an attribute before opset 13 or 18, an operand since."""
    return ints(operand) if operand is not None else node.get("axes", INTS, None)


_DTYPES = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    4: torch.uint16,
    5: torch.int16,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
    12: torch.uint32,
    13: torch.uint64,
    14: torch.complex64,
    15: torch.complex128,
    16: torch.bfloat16,
    17: torch.float8_e4m3fn,
    19: torch.float8_e5m2,
    21: torch.uint8,  # uint4 and int4 are computed in a byte each
    22: torch.int8,
}


MOST_PIECES = 10_000  # that a value is split into, each a tensor of its own


def require_pieces(count: int) -> None:
    """Raise ValueError for a value that would be split into too many tensors."""
    if count > MOST_PIECES:
        raise ValueError(f"a value is split into more than {MOST_PIECES:,} pieces")


def dtype(code: int) -> torch.dtype:
    """The torch dtype of a TensorProto.DataType. Raises ValueError for strings and others."""
    if code not in _DTYPES:
        raise ValueError(f"data type {code} of ONNX has no counterpart in torch")
    return _DTYPES[code]


from . import (  # noqa: E402  (they register theirs)
    _fused as _fused,
    _movement as _movement,
    _pointwise as _pointwise,
    _products as _products,
    _quantized as _quantized,
    _reductions as _reductions,
    _sequences as _sequences,
)
