"""The registry of operators: what each computes, in the torch operations that a model would use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes


@dataclass(frozen=True)
class Node:
    """One operator of a graph. `inputs` and `outputs` are the names of values, "" where an optional
    one is left out; `attrs` are by their ONNX names; `opset` is the version of its domain.
    `integer`: the operands are values that 8-bit integers stand for, which runtimes multiply."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, Any]
    opset: int
    name: str
    integer: bool = False

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.attrs.get(name, default)


@dataclass(frozen=True)
class Operator:
    """How an operator is computed. `compute(node, *inputs)` gives a tensor or a tuple of them.

    `scalars`: constants of one element and at most so many dimensions are handed over as Python
    numbers, as models write them.
    `weights`: the places of inputs that hold weights, biases or scales where they are constant."""

    compute: Callable[..., Any]
    scalars: int = -1
    weights: tuple[int, ...] = ()


OPERATORS: dict[str, Operator] = {}


def operator(*names: str, scalars: int = -1, weights: tuple[int, ...] = ()):
    """Register `fn(node, *inputs)` for operators such as "Conv" or "com.microsoft.FusedConv"."""

    def register(fn):
        for name in names:
            OPERATORS[name] = Operator(fn, scalars, weights)
        return fn

    return register


def ints(value) -> list[int]:
    """The integers of a constant operand: a shape, axes, repeats."""
    with _disable_current_modes():
        return [int(v) for v in value.flatten().tolist()]


def number(value) -> float | int:
    """The only element of a constant operand."""
    if not isinstance(value, torch.Tensor):
        return value
    with _disable_current_modes():
        return value.flatten()[0].item()


def axes(node: Node, operand) -> list[int] | None:
    """The axes of an operator: an attribute before opset 13 or 18, an operand since."""
    return ints(operand) if operand is not None else node.get("axes")


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


def dtype(code: int) -> torch.dtype:
    """The torch dtype of a TensorProto.DataType. Raises ValueError for strings and others."""
    if code not in _DTYPES:
        raise ValueError(f"data type {code} of ONNX has no counterpart in torch")
    return _DTYPES[code]


from . import (  # noqa: E402  (they register theirs)
    _fused,  # noqa: F401
    _movement,  # noqa: F401
    _pointwise,  # noqa: F401
    _products,  # noqa: F401
    _quantized,  # noqa: F401
    _reductions,  # noqa: F401
    _sequences,  # noqa: F401
)
