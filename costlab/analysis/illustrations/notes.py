"""What is said under the tables of the illustrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import notes

if TYPE_CHECKING:
    from .saturation import Saturation
    from .towers import Tower

FIELDS = (
    "weights between one pair of maps, without biases; stride 1",
    "paths: the number of ways in which an input reaches the output; in one large kernel it is 1",
)
MIXING = (
    "each output is a sum over all maps at its own position, with the same weights at every "
    "position; counts by tracing",
)
MLPCONV = notes.one_bottleneck()


def saturation(s: Saturation) -> tuple[str, ...]:
    """How the slopes were found, and what is left of an error behind the activations."""
    found = ", ".join(f"{curve.name} {s.left(curve)[-1]:.2g}" for curve in s.activations)
    return (
        "slopes and gradients by automatic differentiation, in float64",
        "squared error and cross-entropy: the absolute gradient at the input of a sigmoid that is "
        "the output, where the target is 1",
        f"largest share of an error after {s.layers} activations, without weights: {found}",
    )


def tower(t: Tower) -> str:
    """The depth and the costs of a network."""
    return f"{t.name}: {t.depth} layers with weights in a row, {t.params:,} params, {t.macs:,} MACs"
