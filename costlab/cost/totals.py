"""What a whole trace costs, or some of its operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..trace.record import Op, Param, Trace
from . import notes
from .op_cost import cost_of
from .roles import role_of


class UnknownOpError(ValueError):
    """Raised in strict mode: an operation has no formula."""


@dataclass(frozen=True)
class Total:
    """Sums over a trace, in the units of `Cost`.

    Attributes:
        params: elements of parameters, each counted once.
        weights, biases, scales: the params by what they are used for; they add up to `params`.
        ops: operations.
        unknown: an operation without a formula -> how often it ran.
        trainable: the params that require a gradient; None where the trace does not say.
    """

    macs: int
    flops: int
    activations: int
    outputs: int
    read: int
    written: int
    params: int
    weights: int
    ops: int
    unknown: dict[str, int]
    integer_macs: int = 0
    biases: int = 0
    scales: int = 0
    trainable: int | None = None

    @property
    def moved(self) -> int:
        """Bytes read and written."""
        return self.read + self.written

    @property
    def coverage(self) -> str:
        """How many operations have a formula, and which have none."""
        return notes.coverage(self)


def total(trace: Trace, ops: Sequence[Op] | None = None, *, strict: bool = False) -> Total:
    """Sums over operations.

    Params are those that the operations use; for the whole trace every registered one.

    Args:
        trace: what `costlab.trace` gives.
        ops: operations of it, such as `trace.backward`; None for the forward pass.
        strict: refuse an operation without a formula.

    Raises:
        UnknownOpError: in strict mode, where an operation has no formula.
    """
    chosen = trace.forward if ops is None else ops
    costs = [cost_of(trace, op) for op in chosen]
    unknown = Counter(op.name for op, cost in zip(chosen, costs, strict=True) if not cost.known)
    if strict and unknown:
        raise UnknownOpError(
            "no formula for "
            + ", ".join(f"{name} (x{n})" for name, n in unknown.items())
            + "; register one with @costlab.formula, or leave out --strict"
        )
    used = range(len(trace.params)) if ops is None else {p for op in chosen for p in op.params}
    sizes = Counter({"weight": 0, "bias": 0, "scale": 0})
    for i in used:
        sizes[role_of(trace, i)] += trace.params[i].numel
    return Total(
        macs=sum(c.macs for c in costs),
        flops=sum(c.flops for c in costs),
        activations=sum(c.activations for c in costs),
        outputs=sum(c.outputs for c in costs),
        read=sum(c.read for c in costs),
        written=sum(c.written for c in costs),
        params=sizes.total(),
        weights=sizes["weight"],
        ops=len(costs),
        unknown=dict(unknown),
        integer_macs=sum(c.integer_macs for c in costs),
        biases=sizes["bias"],
        scales=sizes["scale"],
        trainable=_trainable([trace.params[i] for i in used]),
    )


def _trainable(params: Sequence[Param]) -> int | None:
    """Elements of the params that require a gradient; None where a trace does not say."""
    if any(p.trainable is None for p in params):
        return None
    return sum(p.numel for p in params if p.trainable)
