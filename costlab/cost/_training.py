"""What training takes beside the forward pass."""

from __future__ import annotations

from dataclasses import dataclass

from ..trace.record import Trace
from ._registry import size_of, total

OPTIMIZERS = {
    "SGD": 0,
    "SGD with momentum": 1,
    "Adam": 2,
}  # values of state a parameter, in the parameter's dtype


@dataclass(frozen=True)
class Training:
    """One step: `forward_macs`, `backward_macs` multiply-adds; in bytes `weights`, `gradients`, `saved` (tensors that the
    backward pass keeps, parameters apart) and `optimizers`, the state of each optimizer. Gradients and state are of the parameters that got
    a gradient: frozen ones have none. `unknown`: operations without a formula, forward or backward."""

    forward_macs: int
    backward_macs: int
    weights: int
    gradients: int
    saved: int
    optimizers: dict[str, int]
    unknown: int = 0

    @property
    def note(self) -> str:
        """One line."""
        mb = lambda v: f"{v / 1e6:,.1f} MB"  # noqa: E731
        ratio = (
            f" ({self.backward_macs / self.forward_macs:.2f} times)" if self.forward_macs else ""
        )
        state = ", ".join(f"{k} {mb(v)}" for k, v in self.optimizers.items())
        return (
            f"training step{', a lower bound' if self.unknown else ''}: forward {self.forward_macs:,} MACs, backward {self.backward_macs:,}{ratio}; memory: weights {mb(self.weights)}, "
            f"gradients {mb(self.gradients)}, kept for backward {mb(self.saved)}, optimizer state: {state}"
        )


def training(trace: Trace) -> Training:
    """The training cost of a trace made with `backward=True`. Raises ValueError for another."""
    if not trace.trained:
        raise ValueError(
            "the trace has no backward pass; make it with backward=True (--mode train)"
        )
    weights = sum(size_of(trace, p.tensor) for p in trace.params)
    parameters = {p.tensor for p in trace.params}
    gradients = sum(size_of(trace, trace.params[i].tensor) for i in trace.gradients)
    saved = sum(size_of(trace, i) for i in trace.saved if i not in parameters)
    return Training(
        total(trace).macs,
        total(trace, trace.backward).macs,
        weights,
        gradients,
        saved,
        {k: n * gradients for k, n in OPTIMIZERS.items()},
        sum(total(trace, trace.ops).unknown.values()),
    )
