"""What a caller of `trace` asks for, in one form: the model, its arguments, the device and the
options."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .._narrow import is_list_or_tuple, is_tuple
from . import exported
from .modules import named_tensors
from .record import TraceError

Arguments = tuple[tuple[Any, ...], dict[str, Any]]  # positional, by name


@dataclass(frozen=True)
class Options:
    """How a model is traced; see `trace`. `gradients`: with autograd in the forward pass alone."""

    device: str
    spec: str
    train: bool | None
    fused: bool
    backward: bool
    gradients: bool = False


def model_and_inputs(model: Any, inputs: Any, kwargs: Any) -> tuple[nn.Module, Any, Any]:
    """The module that runs and its inputs: of a program of torch.export its own, where none are
    given. Raises TraceError for what is not a model."""
    if exported.is_program(model):
        if is_tuple(inputs) and not inputs and not kwargs:
            inputs, kwargs = exported.example_inputs(model)
        model = exported.module_of(model)
    if not isinstance(model, nn.Module):
        raise TraceError(f"expected a torch.nn.Module, got {type(model).__name__}")
    return model, inputs, kwargs


def name_of(model: Any) -> str:
    """How a model is named where its caller does not say."""
    return "a program of torch.export" if exported.is_program(model) else type(model).__name__


def unwrapped(model: nn.Module) -> nn.Module:
    """The model that `torch.compile` wrapped: a compiler cannot look through a recorder."""
    dynamo = sys.modules.get("torch._dynamo.eval_frame")
    if dynamo is not None and isinstance(model, dynamo.OptimizedModule):
        wrapped: Any = model  # which registers it without declaring it
        return wrapped._orig_mod
    return model


def resolve_device(model: nn.Module | None, device: str | torch.device) -> str:
    """The kind of device that "auto" or a name stands for; of no model, "auto" is CUDA or the CPU.
    Raises TraceError for an unknown or a missing one."""
    device = str(device)
    if device.startswith("cuda:") or device == "cpu:0":
        device = device.partition(":")[0]
    if device not in ("auto", "cuda", "cpu", "meta"):
        raise TraceError(f"unknown device {device!r}; choose cuda, cpu, meta or auto")
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        parameters = named_tensors(model, "_parameters") if model is not None else iter(())
        first = next(parameters, None)
        return "cpu" if first is None else first[1].device.type
    if device == "cuda" and not torch.cuda.is_available():
        raise TraceError(
            "device cuda was asked for, but torch sees no CUDA device; use --device cpu or meta"
        )
    return device


def arguments_of(inputs: Any, kwargs: Mapping[str, Any] | None) -> Arguments:
    """What the model is called with. Raises TraceError for a shape instead of tensors."""
    if isinstance(inputs, Mapping):
        return (), {**inputs, **(kwargs or {})}
    args = tuple(inputs) if is_list_or_tuple(inputs) else (inputs,)
    if len(args) > 1 and all(type(n) is int for n in args):
        raise TraceError("inputs takes tensors; for a shape use costlab.summary(model, shape)")
    return args, dict(kwargs or {})
