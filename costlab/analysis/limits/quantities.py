"""What a limit can be on: one entry a quantity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...cost import total
from ...graph.receptive_field import fields
from ...trace import Op, Trace
from ..memory import memory

Unit = Literal["count", "bytes", "seconds", "positions"]
Value = Callable[[Trace, str], "float | None"]


@dataclass(frozen=True)
class Quantity:
    """A figure of a model or of a block.

    Attributes:
        name: as expressions spell it.
        unit: what its values are in; decides which suffixes an expression may use.
        says: what it is, in a few words.
        value: (trace, module path, "" for the whole model) -> the figure, None where the trace does
            not have it.
        adds_up: whether the figures of all blocks add up to that of the model.
    """

    name: str
    unit: Unit
    says: str
    value: Value
    adds_up: bool = True


def in_block(op: Op, block: str) -> bool:
    """Whether an operation ran in a module, or in one inside it; "" is the whole model."""
    return not block or op.module == block or op.module.startswith(f"{block}.")


def block_names(trace: Trace) -> tuple[str, ...]:
    """The module paths that a limit may name: each module that runs operations, and those around
    it, in order of execution."""
    names: dict[str, None] = {}
    for op in trace.ops:
        parts = op.module.split(".") if op.module else []
        for i in range(1, len(parts) + 1):
            names[".".join(parts[:i])] = None
    return tuple(names)


def measure_block(trace: Trace, quantity: str, block: str = "") -> float | None:
    """The figure of one quantity of a module, or of the model; None where the trace has none."""
    return QUANTITIES[quantity].value(trace, block)


def _totals(trace: Trace, block: str):
    chosen = [op for op in trace.forward if in_block(op, block)] if block else None
    return total(trace, chosen)


def _peak(trace: Trace, block: str) -> float | None:
    """Bytes alive at most beyond params, buffers and inputs, while operations of the block run."""
    live = memory(trace).live
    return max((live[i] for i, op in enumerate(trace.ops) if in_block(op, block)), default=0)


def _receptive_field(trace: Trace, block: str) -> float | None:
    """The longest side of what the last output of the block sees that has a receptive field."""
    seen = fields(trace)
    for op in reversed(trace.forward):
        if in_block(op, block):
            field = next((f for f in (seen[i] for i in op.outputs) if f), None)
            if field and field.size:
                return max(field.size)
    return None


def _seconds(trace: Trace, block: str) -> float | None:
    """Measured: of the whole model as it ran; of a block the sum of its operations in place."""
    measured = trace.measured
    if not measured:
        return None
    if not block:
        return measured.total.median
    return sum(o.seconds for o in measured.ops if o.of >= 0 and in_block(trace.ops[o.of], block))


QUANTITIES = {
    q.name: q
    for q in (
        Quantity("params", "count", "params", lambda t, b: _totals(t, b).params),
        Quantity("macs", "count", "multiply-adds", lambda t, b: _totals(t, b).macs),
        Quantity(
            "integer-macs",
            "count",
            "multiply-adds of integers",
            lambda t, b: _totals(t, b).integer_macs,
        ),
        Quantity("flops", "count", "floating-point operations", lambda t, b: _totals(t, b).flops),
        Quantity(
            "activations",
            "count",
            "outputs of convolutions and matrix products",
            lambda t, b: _totals(t, b).activations,
        ),
        Quantity(
            "bytes",
            "bytes",
            "bytes that the operations read and write",
            lambda t, b: _totals(t, b).read + _totals(t, b).written,
        ),
        Quantity(
            "peak",
            "bytes",
            "peak memory beyond params, buffers and inputs",
            _peak,
            adds_up=False,
        ),
        Quantity(
            "receptive-field",
            "positions",
            "receptive field of the last output",
            _receptive_field,
            adds_up=False,
        ),
        Quantity("time", "seconds", "measured time", _seconds),
    )
}
