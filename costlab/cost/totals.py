"""What an operation and a whole trace cost, by the registered formulas."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..trace.cached import once_per_trace
from ..trace.record import Op, Trace
from .registry import REGISTRY, Work
from .roles import role_of
from .sizes import VIEWS
from .traffic import bytes_moved, main_outputs


class UnknownOpError(ValueError):
    """Raised in strict mode: an operation has no formula."""


@dataclass(frozen=True)
class Cost:
    """What one operation does.

    Attributes:
        macs: real floating-point multiply-adds in matrix products and convolutions (a complex one
            is four).
        flops: floating-point operations: two a MAC, and the elementwise ones.
        activations: output elements of convolutions and matrix products (pycls' and timm's
            `activations`).
        outputs: all output elements, views apart.
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


@dataclass(frozen=True)
class Total:
    """Sums over a trace, in the units of `Cost`.

    Attributes:
        params: elements of parameters, each counted once.
        weights, biases, scales: the params by what they are used for; they add up to `params`.
        ops: operations.
        unknown: an operation without a formula -> how often it ran.
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

    @property
    def coverage(self) -> str:
        """How many operations have a formula, and which have none."""
        known = self.ops - sum(self.unknown.values())
        text = f"{known} of {self.ops} ops known"
        if self.unknown:
            missing = ", ".join(f"{name} x{n}" for name, n in self.unknown.items())
            text += f"; totals are a lower bound, not counted: {missing}"
        return text


def cost_of(trace: Trace, op: Op) -> Cost:
    """The cost of one operation, worked out once a trace.

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


def _checked(op: Op, found) -> Work:
    if isinstance(found, Work):
        return found
    if isinstance(found, tuple) and len(found) == 2:
        return Work(*found)
    raise TypeError(
        f"the formula of {op.name} returned {found!r}; return (MACs, FLOPs), two numbers"
    )


def total(trace: Trace, ops=None, *, strict: bool = False) -> Total:
    """Sums over `ops`, by default the forward pass; `trace.backward` gives those of the other.

    Params are those that the operations use; for the whole trace every registered one.

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
    )
