"""The exact MACs of each model of a sweep, as a polynomial of the sizes that vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...cost import total
from ...sources import Loaded
from ...trace import Trace, TraceError
from ..polynomial import Polynomial, polynomial, stride
from . import notes
from .configurations import Setup
from .result import Outcome
from .sizes import GRID, is_image, is_sequence, shape_of, tensors_of


@dataclass(frozen=True)
class _Axis:
    """A variable of a polynomial, the size that it stands for, its value in the model's own input,
    and the step on which counts are even."""

    name: str
    size: str
    base: int
    step: int


def polynomials(
    models: Sequence[str], axes: Sequence[str], setup: Setup, outcomes: Sequence[Outcome]
) -> list[str]:
    """A line a model: its polynomial, which must also give every outcome of the sweep on its sizes,
    or why there is none."""
    return [
        _line(setup.load(model, {}), axes, [o for o in outcomes if _is_of(o, model)])
        for model in models
    ]


def _is_of(outcome: Outcome, model: str) -> bool:
    return outcome.configuration["model"] == model and outcome.result is not None


def _line(loaded: Loaded, axes: Sequence[str], outcomes: Sequence[Outcome]) -> str:
    model = loaded.provenance["spec"]
    try:
        variables = _variables(loaded, axes)
        found = _polynomial(loaded, variables)
        if found and not all(_agrees(found, variables, o) for o in outcomes):
            found = None
        return notes.polynomial(model, found)
    except (TraceError, ValueError) as refusal:
        why = str(refusal).splitlines()[0]
    try:
        found = _polynomial(loaded, [_Axis("N", "batch", 1, 1)])
        return notes.of_the_batch_alone(model, found, why)
    except (TraceError, ValueError) as refusal:
        return notes.no_polynomial(model, str(refusal).splitlines()[0])


def _variables(loaded: Loaded, axes: Sequence[str]) -> list[_Axis]:
    """The batch; the grid or the tokens too where the sweep changes them. Raises TraceError for a
    model that cannot run on its own input."""
    variables = [_Axis("N", "batch", 1, 1)]
    first = next((t for t in tensors_of(loaded) if is_image(t) or is_sequence(t)), None)
    if first is not None and is_image(first) and any(a in GRID for a in axes):
        step = stride(_trace(loaded, {}))
        variables += [
            _Axis("H", "height", first.shape[2], step),
            _Axis("W", "width", first.shape[3], step),
        ]
    elif first is not None and is_sequence(first) and "tokens" in axes:
        variables.append(_Axis("T", "tokens", first.shape[1], 1))
    return variables


def _polynomial(loaded: Loaded, variables: Sequence[_Axis]) -> Polynomial | None:
    def macs(*sizes: int) -> int:
        return total(
            _trace(loaded, dict(zip((v.size for v in variables), sizes, strict=True)))
        ).macs

    return polynomial(
        macs, [v.name for v in variables], [v.base for v in variables], [v.step for v in variables]
    )


def _trace(loaded: Loaded, sizes: Mapping[str, int]) -> Trace:
    """The trace at other sizes: floating-point inputs without values, integer ones zeros."""
    import torch
    from torch.utils import _pytree as pytree

    from ...trace.tracer import trace

    def resized(tensor: torch.Tensor) -> torch.Tensor:
        shape = shape_of(tensor, sizes)
        if tensor.is_floating_point():
            return torch.empty(shape, dtype=tensor.dtype, device="meta")
        return torch.zeros(shape, dtype=tensor.dtype)

    inputs, kwargs = pytree.tree_map_only(torch.Tensor, resized, (loaded.inputs, loaded.kwargs))
    with loaded.scope():
        return trace(loaded.model, inputs, kwargs, device="meta")


def _agrees(found: Polynomial, variables: Sequence[_Axis], outcome: Outcome) -> bool:
    """Whether an outcome is on the polynomial, where its sizes are of those that it is for."""
    sizes = [_size(v, outcome.configuration) for v in variables]
    if any((s - v.base) % v.step for s, v in zip(sizes, variables, strict=True)):
        return True
    return outcome.result is None or found(*sizes) == outcome.result["macs"]


def _size(axis: _Axis, configuration: Mapping[str, Any]) -> int:
    also = "resolution" if axis.size in ("height", "width") else axis.size
    return configuration.get(axis.size, configuration.get(also, axis.base))
