"""A verification: the model made real on the CPU, traced, and counted by each peer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ..._narrow import is_list_or_tuple
from ...cost import total
from ...tables import arithmetic_notes
from ...trace.tracer import trace as run
from . import flop_counter
from .result import Cause, Count, Verification

_LARGEST = 12e9  # bytes of params that are run for real


def verify(
    model: nn.Module,
    inputs: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    spec: str | None = None,
    train: bool = False,
    notes: Sequence[str] = (),
) -> Verification:
    """Count `model` with costlab, fvcore and FlopCounterMode.

    A model on `meta` is given memory (zeros) on the CPU, in place. `train`: a training step,
    forward and backward, which fvcore does not count. `notes`: what building the model had to say.

    Raises ImportError without fvcore, TraceError when the model cannot run, MemoryError when it
    would need over 12 GB."""
    import fvcore.nn  # noqa: F401  # pyright: ignore[reportUnusedImport] before the work begins

    from . import fvcore_count

    _make_real(model)
    args = inputs if is_list_or_tuple(inputs) else (inputs,)
    args = tuple(_real(value) for value in args)
    kwargs = {name: _real(value) for name, value in (kwargs or {}).items()}
    trace = run(model, args, kwargs, device="cpu", spec=spec, backward=train)
    whole = total(trace)
    name, said = trace.provenance["model"], (*notes, *arithmetic_notes(trace))
    if train:
        macs = whole.macs + total(trace, trace.backward).macs
        coverage = str(total(trace, trace.ops).coverage)
        step = flop_counter.count_training_step(model, args, kwargs, trace)
        return Verification(name, macs, (step,), coverage, train=True, caveats=said)
    first = fvcore_count.count_forward(model, args, kwargs, trace)
    second = flop_counter.count_forward(model, args, kwargs, trace)
    counts = (_confirmed(first, second), second)
    return Verification(name, whole.macs, counts, str(whole.coverage), caveats=said)


def _make_real(model: nn.Module) -> None:
    """Give a model on `meta` memory, zeros. Raises MemoryError for a model that is too large."""
    params = list(model.parameters())
    size = sum(p.numel() * p.element_size() for p in params)
    if size > _LARGEST:
        raise MemoryError(
            f"the other counters run the model for real, and its parameters need "
            f"{size / 1e9:.0f} GB"
        )
    if not any(t.device.type == "meta" for t in (*params, *model.buffers())):
        return
    model.to_empty(device="cpu")
    with torch.no_grad():
        for t in (*model.parameters(), *model.buffers()):
            t.zero_()


def _real(value: Any) -> Any:
    """A tensor on `meta` as zeros on the CPU; anything else as it is."""
    if isinstance(value, torch.Tensor) and value.device.type == "meta":
        return torch.zeros(value.shape, dtype=value.dtype)
    return value


def _confirmed(first: Count, second: Count) -> Count:
    """fvcore's count, in which a custom function explains a difference only where torch's own
    counter, which looks into it, agrees."""
    if second.agrees:
        return first
    differences = tuple(
        replace(d, doubted=True) if d.cause is Cause.CUSTOM_FUNCTION else d
        for d in first.differences
    )
    return replace(first, differences=differences)
