"""The registry of formulas, and what every formula is written with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from ..trace.record import Op, Trace


@dataclass(frozen=True)
class Work:
    """The arithmetic of one operation: `macs` floating-point multiply-adds of products and
    convolutions, `flops` floating-point operations (two a MAC, plus the elementwise ones), and
    `integer_macs`, the multiply-adds of 8-bit and other integer products, which are not FLOPs."""

    macs: int = 0
    flops: int = 0
    integer_macs: int = 0


Formula = Callable[[Trace, Op], "Work | tuple[int, int]"]


class Registry:
    """Formulas by the name of their operation. `version` counts changes, so that costs worked out
    before a change are not taken for those after it."""

    def __init__(self):
        self.version = 0
        self.formulas: dict[str, Formula] = {}

    def add(self, names: tuple[str, ...], fn: Formula) -> None:
        """Register `fn` under each name; a later one overrides an earlier one."""
        self.formulas.update((name.replace("::", "."), fn) for name in names)
        self.version += 1

    def find(self, name: str) -> Formula | None:
        """The formula of an operation, or None."""
        return self.formulas.get(name)


REGISTRY = Registry()
INTEGERS = frozenset(
    ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
    + ("qint8", "quint8", "qint32")
)


def formula(*names: str):
    """Register `fn(trace, op) -> (MACs, FLOPs)` for operations.

    Args:
        names: of the operations, such as "aten.mm" or "mylib::myop". A later formula overrides an
            earlier one.

    Returns a decorator. `fn` may also return a `Work`, which has integer MACs too."""

    def register(fn: Formula) -> Formula:
        REGISTRY.add(names, fn)
        return fn

    return register


def named(library: str, names: str) -> tuple[str, ...]:
    """Full names of a library's operations, from a text of their short names."""
    return tuple(f"{library}.{name}" for name in names.split())


def aten(names: str) -> tuple[str, ...]:
    """Full names of torch's own operations, from a text of their short names."""
    return named("aten", names)


def outputs_of(trace: Trace, op: Op) -> int:
    """Elements of all outputs."""
    return sum(trace.tensors[i].numel for i in op.outputs)


def shape_of(trace: Trace, op: Op, k: int = 0) -> tuple[int, ...]:
    """The shape of the k-th tensor input."""
    return trace.tensors[op.inputs[k]].shape


def elements_of(trace: Trace, op: Op, k: int = 0) -> int:
    """Elements of the k-th tensor input; 0 where the operation takes no tensor."""
    return prod(shape_of(trace, op, k)) if len(op.inputs) > k else 0


def multiply_adds(trace: Trace, op: Op, macs: int, extra: int = 0) -> Work:
    """`macs` products and `extra` other FLOPs, in the arithmetic of the output's dtype: a complex
    product is four real ones, and products of integers are integer MACs."""
    kind = trace.tensors[op.outputs[0]].dtype if op.outputs else "float32"
    if kind.startswith("complex"):
        macs *= 4
    elif kind in INTEGERS:
        return Work(integer_macs=macs)
    return Work(macs, 2 * macs + extra)
