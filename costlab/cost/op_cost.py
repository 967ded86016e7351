"""What one operation costs, by its registered formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from .._narrow import is_tuple
from ..trace.cached import once_per_trace
from ..trace.record import Op, Trace
from .registry import REGISTRY, Work
from .sizes import VIEWS
from .traffic import bytes_moved, main_outputs


@dataclass(frozen=True)
class Cost:
    """What one operation does.

    Attributes:
        macs: real floating-point multiply-adds in matrix products and convolutions (a complex one
            is four).
        flops: floating-point operations: two per MAC, and the elementwise ones.
        activations: output elements of convolutions and matrix products (pycls' and timm's
            `activations`).
        outputs: all output elements, without views.
        read, written: bytes.
        known: whether a formula is registered.
        integer_macs: multiply-adds of 8-bit and other integer products.
    """

    macs: int = 0
    flops: int = 0
    activations: int = 0
    outputs: int = 0
    read: int = 0
    written: int = 0
    known: bool = True
    integer_macs: int = 0


def cost_of(trace: Trace, op: Op) -> Cost:
    """The cost of one operation, computed once per trace.

    Args:
        trace: the trace that the operation is of.
        op: one of `trace.ops`.

    Raises TypeError when its formula returns something else than numbers."""
    known = _known_costs(trace)
    key = REGISTRY.version, id(op)
    if key not in known:
        known[key] = op, _cost(trace, op)
    return known[key][1]


@once_per_trace
def _known_costs(trace: Trace) -> dict[tuple[int, int], tuple[Op, Cost]]:
    """(version of the registry, id of an operation) -> the operation, so that its id stays its
    own, and its cost."""
    return {}


def _cost(trace: Trace, op: Op) -> Cost:
    fn = REGISTRY.find(op.name)
    work = _checked(op, fn(trace, op)) if fn else Work()
    if op.name in VIEWS and work == Work():
        return Cost()  # a view of what is already there
    outputs = sum(trace.tensors[i].numel for i in main_outputs(op))
    read, written = bytes_moved(trace, op)
    return Cost(
        work.macs,
        work.flops,
        outputs if work.macs or work.integer_macs else 0,
        outputs,
        read,
        written,
        fn is not None,
        work.integer_macs,
    )


def _checked(op: Op, found: object) -> Work:
    if isinstance(found, Work):
        return found
    if is_tuple(found) and len(found) == 2:
        macs, flops = cast("tuple[int, int]", found)
        return Work(macs, flops)
    raise TypeError(
        f"the formula of {op.name} returned {found!r}; return (MACs, FLOPs), two numbers"
    )
