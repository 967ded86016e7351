"""Saturation of activations: where the derivative of a sigmoid is nearly zero, what is left of an
error behind many of them, and what the loss can do about it (the note on vanishing gradients)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..._result import Charted
from ...tables import Column, Sheet
from . import notes

ACTIVATIONS = ("sigmoid", "tanh", "relu")
LOSSES = ("squared", "cross-entropy")
_FARTHEST = 8  # the inputs are from -8 to 8
_STEPS = 8  # inputs from one whole number to the next
_HEADERS = {  # of the table
    "sigmoid": "sigmoid slope",
    "tanh": "tanh slope",
    "relu": "ReLU slope",
    "squared": "squared error",
}


@dataclass(frozen=True)
class Curve:
    """A value at each of the inputs: the derivative of an activation, or the absolute gradient of a
    loss."""

    name: str
    values: tuple[float, ...]

    @property
    def largest(self) -> float:
        """The largest value."""
        return max(self.values)


@dataclass(frozen=True)
class Saturation(Charted):
    """`activations`: their derivatives at the `inputs`. `losses`: the absolute derivative of a loss
    by the input of a sigmoid that is the output, where the target is one. `layers`: activations in
    a row through which an error is followed."""

    inputs: tuple[float, ...]
    activations: tuple[Curve, ...]
    losses: tuple[Curve, ...]
    layers: int

    chart_kind = "saturation"

    def left(self, activation: Curve) -> tuple[float, ...]:
        """The largest factor by which an error is multiplied behind 0, 1, 2, ... `layers` of an
        activation, without weights."""
        return tuple(activation.largest**n for n in range(self.layers + 1))

    @property
    def sheet(self) -> Sheet:
        """A row a whole input."""
        every = (*self.activations, *self.losses)
        curves = {_HEADERS.get(curve.name, curve.name): curve for curve in every}
        rows = tuple(
            {"input": round(x), **{key: curve.values[i] for key, curve in curves.items()}}
            for i, x in enumerate(self.inputs)
            if x == round(x)
        )
        columns = (Column("input"), *(Column(key, "", format=".4f") for key in curves))
        return Sheet("saturation", columns, rows, notes.saturation(self))


def saturation(layers: int = 8) -> Saturation:
    """The slopes of sigmoid, tanh and ReLU, the gradients of two losses behind a sigmoid, and what
    is left of an error behind `layers` activations.

    Raises ValueError for fewer than one layer."""
    if layers < 1:
        raise ValueError(f"{layers} activations; choose 1 or more")
    inputs = tuple(i / _STEPS for i in range(-_FARTHEST * _STEPS, _FARTHEST * _STEPS + 1))
    slopes = (Curve(name, tuple(slope(name, x) for x in inputs)) for name in ACTIVATIONS)
    losses = (Curve(name, tuple(abs(output_gradient(name, x)) for x in inputs)) for name in LOSSES)
    return Saturation(inputs, tuple(slopes), tuple(losses), layers)


def slope(name: str, x: float) -> float:
    """The derivative of an activation of `ACTIVATIONS` at `x`. Raises ValueError for another."""
    if name not in ACTIVATIONS:
        raise ValueError(f"no activation {name!r}; there are {', '.join(ACTIVATIONS)}")
    point = torch.tensor(float(x), dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(getattr(torch, name)(point), point)
    return float(found)


def output_gradient(loss: str, x: float) -> float:
    """The derivative of a loss of `LOSSES` by the input `x` of the sigmoid that is the output,
    where the target is one. Raises ValueError for another loss."""
    if loss not in LOSSES:
        raise ValueError(f"no loss {loss!r}; there are {', '.join(LOSSES)}")
    of = {
        "squared": torch.nn.functional.mse_loss,
        "cross-entropy": torch.nn.functional.binary_cross_entropy,
    }[loss]
    point = torch.tensor(float(x), dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(of(torch.sigmoid(point), torch.ones_like(point)), point)
    return float(found)
