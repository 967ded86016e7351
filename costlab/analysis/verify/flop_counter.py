"""The second peer: torch's FlopCounterMode, over the dispatched operations as they come."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ...cost import total
from ...trace import Trace
from ...trace.nested import each
from ...trace.tracer import trace as run
from .peer import closed, complex_difference, failure
from .result import Cause, Count, Difference
from .shapes import grouped_gradient_macs, macs_by_shape

_PEER = "torch FlopCounterMode"


def _unknown_to_torch(fused: Trace) -> list[Difference]:
    """Operations as they run, for which FlopCounterMode has no formula."""
    from torch.utils.flop_counter import flop_registry

    known = {str(k).replace("::", ".") for k in flop_registry}
    missing: dict[str, list[int]] = {}
    for op in fused.ops:
        macs = macs_by_shape(fused, op)
        if macs and op.name not in known:
            missing.setdefault(op.name, []).append(macs)
    return [
        Difference(Cause.CHOSEN_KERNEL, sum(macs), name, len(macs))
        for name, macs in missing.items()
    ]


def count_forward(
    model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], trace: Trace
) -> Count:
    """The forward pass by FlopCounterMode; its FLOPs are halved."""
    from torch.utils.flop_counter import FlopCounterMode

    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            each(model(*args, **kwargs), run_iterators=True)
        unknown = _unknown_to_torch(run(model, args, kwargs, device="cpu", fused=True))
    except Exception as e:  # whatever a model raises is what the peer failed with
        return Count(_PEER, torch.__version__, None, failed=failure(e))
    differences = unknown + complex_difference(trace)
    theirs = counter.get_total_flops() // 2
    return closed(_PEER, torch.__version__, theirs, total(trace).macs, differences)


def count_training_step(
    model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], trace: Trace
) -> Count:
    """A training step by FlopCounterMode: forward and backward as autograd runs them."""
    from torch.utils.flop_counter import FlopCounterMode

    was_training = model.training
    try:
        model.train()
        with FlopCounterMode(display=False) as counter:
            _step(model, args, kwargs)
        differences = _unknown_to_torch(
            run(model, args, kwargs, device="cpu", fused=True, backward=True)
        )
    except Exception as e:  # whatever a model raises is what the peer failed with
        return Count(_PEER, torch.__version__, None, failed=failure(e))
    finally:
        model.train(was_training)
    if extra := grouped_gradient_macs(trace):
        differences.append(Difference(Cause.GROUPED_GRADIENT, -extra))
    theirs = counter.get_total_flops() // 2
    ours = total(trace).macs + total(trace, trace.backward).macs
    return closed(_PEER, torch.__version__, theirs, ours, differences)


def _step(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    outs = [t for t in each(model(*args, **kwargs), run_iterators=True) if t.requires_grad]
    params = [p for p in model.parameters() if p.requires_grad]
    torch.autograd.grad(outs, params, [torch.ones_like(t) for t in outs], allow_unused=True)
