"""What one call of a model costs in a training step, from a trace on `meta`."""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import torch
from torch import nn

from .._narrow import is_mapping
from ..cost import total
from ..trace import Trace, TraceError
from ..trace.nested import each
from ..trace.tracer import trace

_PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class StepCost:
    """What a training step costs on one device.

    The model alone is counted: not a loss outside of it, the optimizer or the communication.

    Attributes:
        forward_macs, backward_macs: multiply-adds.
        recomputed_macs: multiply-adds of activations that checkpoints compute again. They are not
            in `backward_macs`.
        activations: elements that layers give in the forward pass.
        bytes: read and written by all operations, in the dtypes of a run without autocast.
        unknown: operations without a formula; with any, all counts are lower bounds.
    """

    forward_macs: int = 0
    backward_macs: int = 0
    recomputed_macs: int = 0
    activations: int = 0
    bytes: int = 0
    unknown: int = 0

    def __add__(self, other: StepCost) -> StepCost:
        return StepCost(*map(operator.add, astuple(self), astuple(other)))

    @property
    def macs(self) -> int:
        """Multiply-adds of the model, forward and backward, each once."""
        return self.forward_macs + self.backward_macs

    @property
    def model_flops(self) -> int:
        """Two a multiply-add, without recomputed activations: what MFU counts (PaLM, Chowdhery et
        al. 2022, appendix B)."""
        return 2 * self.macs

    @property
    def hardware_flops(self) -> int:
        """Two a multiply-add, with recomputed activations: what HFU counts (the same appendix)."""
        return 2 * (self.macs + self.recomputed_macs)

    @classmethod
    def of(cls, traced: Trace) -> StepCost:
        """The cost of a trace, with or without a backward pass."""
        forward, backward = total(traced), total(traced, traced.backward)
        recomputed = total(traced, [op for op in traced.backward if op.recomputed]).macs
        return cls(
            forward_macs=forward.macs,
            backward_macs=backward.macs - recomputed,
            recomputed_macs=recomputed,
            activations=forward.activations,
            bytes=forward.read + forward.written + backward.read + backward.written,
            unknown=sum(forward.unknown.values()) + sum(backward.unknown.values()),
        )


@dataclass(frozen=True)
class Call:
    """One call of a model in a training step. `grad`: with autograd on. `key` is the same for calls
    that cost the same."""

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    grad: bool
    key: tuple[object, ...]

    @classmethod
    def of(
        cls, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], trained: int
    ) -> Call:
        """A call as it is about to run; `trained` stands for which params are trained."""
        grad = torch.is_grad_enabled()
        shapes = tuple((t.shape, t.dtype, t.requires_grad) for t in each((args, kwargs)))
        options = tuple(v for v in args if isinstance(v, _PLAIN))
        named = tuple((k, v if isinstance(v, _PLAIN) else None) for k, v in kwargs.items())
        key = (id(module), grad, module.training, trained, shapes, options, named)
        return cls(module, args, kwargs, grad, key)


def cost_of_call(call: Call) -> StepCost:
    """Trace a call on `meta`, or on the model's device where it needs values.

    The model, its gradients, the inputs and the random states are left as they are. A backward
    pass starts at the loss where the model returns one, otherwise at every differentiable output.

    Raises TraceError where neither trace works."""
    try:
        return _traced(call, "meta")
    except TraceError:
        parameter = next(call.module.parameters(), None)
        if parameter is None or parameter.device.type == "meta":
            raise
        return _traced(call, parameter.device.type)


def _traced(call: Call, device: str) -> StepCost:
    needs_gradient = (*call.module.parameters(), *each((call.args, call.kwargs)))
    backward = call.grad and any(t.requires_grad for t in needs_gradient)
    step = _InTraining(as_written(call.module))
    return StepCost.of(trace(step, call.args, call.kwargs, device=device, backward=backward))


def as_written(module: nn.Module) -> nn.Module:
    """The module that `torch.compile` compiled; any other one itself."""
    dynamo: Any = sys.modules.get("torch._dynamo.eval_frame")
    if dynamo is not None and isinstance(module, dynamo.OptimizedModule):
        return module.get_submodule("_orig_mod")
    return module


class _InTraining(nn.Module):
    """A model as it runs in the training loop: each module in its own mode, without accelerate's
    autocast, which does nothing on `meta`. The tracer puts back what is set here."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.modes = [(m, m.training) for m in model.modules() if hasattr(m, "training")]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        for module, mode in self.modes:
            module.training = mode
        plain: Any = vars(self.model).get("_original_forward")  # where accelerate keeps it
        if plain is not None:
            self.model.forward = plain
        return _loss_of(self.model(*args, **kwargs))


def _loss_of(out: object) -> object:
    """The loss in what a model of transformers returns; any other output whole."""
    loss = out.get("loss") if is_mapping(out) else None
    return loss if isinstance(loss, torch.Tensor) and loss.requires_grad else out


def summed(costs: Iterable[StepCost]) -> StepCost:
    """The cost of a step of several calls."""
    return functools.reduce(operator.add, costs, StepCost())
