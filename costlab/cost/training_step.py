"""What training takes beside the forward pass."""

from __future__ import annotations

from dataclasses import dataclass

from ..trace.record import Trace
from . import notes
from .sizes import size_of
from .totals import total

# optimizer -> values of state that it keeps for each parameter, in the parameter's dtype
OPTIMIZERS = {"SGD": 0, "SGD with momentum": 1, "Adam": 2}


@dataclass(frozen=True)
class Training:
    """One training step.

    Attributes:
        forward_macs, backward_macs: multiply-adds.
        recomputed_macs: of the backward ones, those that run the forward pass again because
            activations were checkpointed.
        weights: bytes of all parameters.
        gradients: bytes of the gradients of parameters that got one; frozen ones have none.
        saved: bytes of the tensors that the backward pass keeps, without parameters.
        optimizers: bytes of state of each optimizer, for the parameters with a gradient.
        unknown: operations without a formula, forward or backward.
    """

    forward_macs: int
    backward_macs: int
    weights: int
    gradients: int
    saved: int
    optimizers: dict[str, int]
    unknown: int = 0
    recomputed_macs: int = 0

    @property
    def note(self) -> str:
        """One line."""
        return notes.training_step(self)


def training(trace: Trace) -> Training:
    """A training step: multiply-adds forward and backward, and elements of what it keeps.

    Args:
        trace: of a model traced with `backward=True`.

    Raises ValueError for a trace without a backward pass."""
    if not trace.trained:
        raise ValueError(
            "the trace has no backward pass; make it with backward=True (--mode train)"
        )
    parameters = {p.tensor for p in trace.params}
    gradients = sum(size_of(trace, trace.params[i].tensor) for i in trace.gradients)
    return Training(
        forward_macs=total(trace).macs,
        backward_macs=total(trace, trace.backward).macs,
        weights=sum(size_of(trace, i) for i in parameters),
        gradients=gradients,
        saved=sum(size_of(trace, i) for i in trace.saved if i not in parameters),
        optimizers={name: values * gradients for name, values in OPTIMIZERS.items()},
        recomputed_macs=total(trace, [op for op in trace.backward if op.recomputed]).macs,
        unknown=sum(total(trace, trace.ops).unknown.values()),
    )
