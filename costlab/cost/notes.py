"""What totals say in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .totals import Total
    from .training_step import Training


def coverage(total: Total) -> str:
    """How many operations have a formula, and which have none."""
    known = total.ops - sum(total.unknown.values())
    text = f"{known} of {total.ops} ops known"
    if not total.unknown:
        return text
    missing = ", ".join(f"{name} x{n}" for name, n in total.unknown.items())
    return f"{text}; totals are a lower bound, not counted: {missing}"


def training_step(step: Training) -> str:
    """A training step in one line: multiply-adds, and memory by what it is for."""
    bound = ", a lower bound" if step.unknown else ""
    state = ", ".join(f"{name} {_megabytes(size)}" for name, size in step.optimizers.items())
    return (
        f"training step{bound}: forward {step.forward_macs:,} MACs, "
        f"backward {step.backward_macs:,}{_beside_forward(step)}; "
        f"memory: weights {_megabytes(step.weights)}, gradients {_megabytes(step.gradients)}, "
        f"kept for backward {_megabytes(step.saved)}, optimizer state: {state}"
    )


def _beside_forward(step: Training) -> str:
    """How many times the forward pass the backward pass is, and what of it is recomputed."""
    ratio = step.backward_macs / step.forward_macs if step.forward_macs else None
    times = "" if ratio is None else f" ({ratio:.2f} times)"
    if not step.recomputed_macs:
        return times
    return f"{times}, {step.recomputed_macs:,} of them recomputed activations"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
