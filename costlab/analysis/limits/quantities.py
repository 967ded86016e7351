"""What a limit can be on: one entry a quantity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ...cost import Total, total
from ...graph.receptive_field import fields
from ...predict import Estimate, prediction_of
from ...trace import Trace
from ...trace.cached import once_per_trace
from ..memory import memory
from ..price import price_of_a_second

Unit = Literal["count", "bytes", "seconds", "milliseconds", "money", "positions"]
Indices = Sequence[int]  # of operations in `Trace.ops`
Value = Callable[[Trace, "Indices | None"], "float | None"]


@dataclass(frozen=True)
class Quantity:
    """A figure of a model or of a block.

    Attributes:
        name: as expressions spell it.
        unit: what its values are in; decides which suffixes an expression may use. Values in
            "milliseconds" are in seconds too, and a number without a suffix is in milliseconds.
        says: what it is, in a few words.
        value: (trace, indices of operations, or None for the whole model) -> the figure, None where
            the trace does not have it.
        adds_up: whether the figures of all blocks add up to that of the model.
    """

    name: str
    unit: Unit
    says: str
    value: Value
    adds_up: bool = True


def is_inside(path: str, block: str) -> bool:
    """Whether a module path is that of a block, or of a module in it; "" is the whole model."""
    return not block or path == block or path.startswith(f"{block}.")


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
    chosen = [i for i, op in enumerate(trace.ops) if is_inside(op.module, block)] if block else None
    return measure_ops(trace, quantity, chosen)


def measure_ops(trace: Trace, quantity: str, ops: Indices | None) -> float | None:
    """The figure of one quantity of some operations, by their indices, or of the model."""
    return QUANTITIES[quantity].value(trace, ops)


def with_backward(trace: Trace, ops: Iterable[int]) -> list[int]:
    """Operations of the forward pass, and those of the backward pass that work out their
    gradients; by their indices."""
    gradients = _gradients(trace)
    return [i for op in ops for i in (op, *gradients.get(op, ()))]


@once_per_trace
def _gradients(trace: Trace) -> dict[int, list[int]]:
    """Index of an operation -> those of its gradients' operations."""
    found: dict[int, list[int]] = {}
    for i, op in enumerate(trace.ops):
        if op.of is not None:
            found.setdefault(op.of, []).append(i)
    return found


def _totals(trace: Trace, ops: Indices | None) -> Total:
    """Of the forward pass."""
    if ops is None:
        return total(trace)
    return total(trace, [op for op in (trace.ops[i] for i in ops) if op.of is None])


def _peak(trace: Trace, ops: Indices | None) -> float | None:
    """Bytes alive at most beyond params, buffers and inputs, while these operations run."""
    live = memory(trace).live
    return max((live[i] for i in (range(len(trace.ops)) if ops is None else ops)), default=0)


def _receptive_field(trace: Trace, ops: Indices | None) -> float | None:
    """The longest side of what the last output that has a receptive field sees."""
    seen = fields(trace)
    for i in reversed(range(len(trace.ops)) if ops is None else ops):
        if trace.ops[i].of is None:
            field = next((f for f in (seen[o] for o in trace.ops[i].outputs) if f), None)
            if field and field.size:
                return max(field.size)
    return None


def _seconds(trace: Trace, ops: Indices | None) -> float | None:
    """Measured: of the whole model as it ran; of operations the sum of their times in place."""
    measured = trace.measured
    if not measured:
        return None
    if ops is None:
        return measured.total.median
    chosen = set(ops)
    return sum(o.seconds for o in measured.ops if o.of in chosen)


def _estimate(trace: Trace, ops: Indices | None) -> Estimate | None:
    """The predicted time, or its bound; None without a profile."""
    prediction = prediction_of(trace)
    if prediction is None:
        return None
    return prediction.total if ops is None else prediction.over(ops)


def _predicted(trace: Trace, ops: Indices | None) -> float | None:
    """By a calibrated profile alone."""
    found = _estimate(trace, ops)
    return found.seconds if found else None


def _low(trace: Trace, ops: Indices | None) -> float | None:
    """The lower end of the interval of a prediction."""
    found = _estimate(trace, ops)
    return None if found is None or found.is_bound else found.low


def _high(trace: Trace, ops: Indices | None) -> float | None:
    """The upper end of the interval of a prediction."""
    found = _estimate(trace, ops)
    return found.high if found else None


def _least(trace: Trace, ops: Indices | None) -> float | None:
    """By a datasheet alone."""
    found = _estimate(trace, ops)
    return found.low if found and found.is_bound else None


def _price_by(seconds: Value) -> Value:
    """The price of a million inputs by a time; None without a rate."""

    def price(trace: Trace, ops: Indices | None) -> float | None:
        second, time = price_of_a_second(trace), seconds(trace, ops)
        return None if second is None or time is None else second * time

    return price


# those that need a profile, and of these, those that need a rate
PRICES = ("predicted-price", "predicted-low-price", "predicted-high-price", "at-least-price")
PREDICTED = ("predicted-ms", "predicted-low-ms", "predicted-high-ms", "at-least-ms", *PRICES)
QUANTITIES = {
    q.name: q
    for q in (
        Quantity("params", "count", "params", lambda t, ops: _totals(t, ops).params),
        Quantity("macs", "count", "multiply-adds", lambda t, ops: _totals(t, ops).macs),
        Quantity(
            "integer-macs",
            "count",
            "multiply-adds of integers",
            lambda t, ops: _totals(t, ops).integer_macs,
        ),
        Quantity(
            "flops", "count", "floating-point operations", lambda t, ops: _totals(t, ops).flops
        ),
        Quantity(
            "activations",
            "count",
            "outputs of convolutions and matrix products",
            lambda t, ops: _totals(t, ops).activations,
        ),
        Quantity(
            "bytes",
            "bytes",
            "bytes that the operations read and write",
            lambda t, ops: _totals(t, ops).read + _totals(t, ops).written,
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
        Quantity("predicted-ms", "milliseconds", "predicted time", _predicted),
        Quantity(
            "predicted-low-ms",
            "milliseconds",
            "lower end of the 90% interval of the predicted time",
            _low,
            adds_up=False,
        ),
        Quantity(
            "predicted-high-ms",
            "milliseconds",
            "upper end of the 90% interval of the predicted time",
            _high,
            adds_up=False,
        ),
        Quantity("at-least-ms", "milliseconds", "the least time possible, by a datasheet", _least),
        Quantity(
            "predicted-price",
            "money",
            "price of a million inputs by the predicted time",
            _price_by(_predicted),
        ),
        Quantity(
            "predicted-low-price",
            "money",
            "price of a million inputs by the lower end of the predicted time's interval",
            _price_by(_low),
            adds_up=False,
        ),
        Quantity(
            "predicted-high-price",
            "money",
            "price of a million inputs by the upper end of the predicted time's interval",
            _price_by(_high),
            adds_up=False,
        ),
        Quantity(
            "at-least-price",
            "money",
            "the least price of a million inputs possible, by a datasheet",
            _price_by(_least),
        ),
    )
}
