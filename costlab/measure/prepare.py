"""A copy of a model, and its inputs, where and how they are to be measured."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import nn
from torch.utils import _pytree as pytree

from .._narrow import is_list_or_tuple
from .device import DTYPES, Device, MeasureError


def prepare(
    model: nn.Module,
    inputs: Any,
    kwargs: Mapping[str, Any] | None,
    *,
    device: Device,
    dtype: str,
    channels_last: bool,
) -> tuple[nn.Module, tuple[Any, ...], dict[str, Any]]:
    """A copy of the model in evaluation mode, and its inputs, in the dtype and layout asked for.

    Raises MeasureError for meta tensors, and for weights that do not fit on the device."""
    own = (*model.parameters(), *model.buffers())
    if any(t.device.type == "meta" for t in own):
        raise MeasureError("the model has meta tensors; measure one with real weights")
    require_memory(sum(map(_bytes_as(dtype), own)), device, dtype)
    positional: tuple[Any, ...] = ()
    if isinstance(inputs, dict):
        kwargs = {**cast("dict[str, Any]", inputs), **(kwargs or {})}
    else:
        positional = tuple(inputs) if is_list_or_tuple(inputs) else (inputs,)

    def move(t: Any) -> Any:
        return _moved(t, device, dtype, channels_last) if isinstance(t, torch.Tensor) else t

    args, kw = pytree.tree_map(move, (positional, dict(kwargs or {})))
    # parameters go to the device one by one, so that the host holds no second copy of them
    moved = {id(p): _moved_parameter(p, device, dtype) for p in model.parameters()}
    ready = copy.deepcopy(model, moved).to(device.kind, DTYPES[dtype]).eval()
    if channels_last:
        for t in (*ready.parameters(), *ready.buffers()):
            if t.dim() == 4:
                t.data = t.data.contiguous(memory_format=torch.channels_last)
    return ready, args, kw


def require_memory(needed: int, device: Device, dtype: str) -> None:
    """Raise MeasureError when `needed` bytes of weights are more than the device has."""
    free, name = device.free_bytes(), device.describe()["device"]
    if needed > free:
        raise MeasureError(
            f"the weights take {needed / 1e9:,.1f} GB in {dtype}, and {name} "
            f"has {free / 1e9:,.1f} GB free; choose a smaller model or dtype, or another device"
        )


def _dtype_of(t: torch.Tensor, dtype: str) -> torch.dtype:
    return DTYPES[dtype] if t.is_floating_point() else t.dtype


def _bytes_as(dtype: str) -> Callable[[torch.Tensor], int]:
    def size(t: torch.Tensor) -> int:
        return t.numel() * _dtype_of(t, dtype).itemsize

    return size


def _moved_parameter(p: nn.Parameter, device: Device, dtype: str) -> nn.Parameter:
    there = p.detach().to(device.kind, _dtype_of(p, dtype), copy=True)
    return nn.Parameter(there, p.requires_grad)


def _moved(t: torch.Tensor, device: Device, dtype: str, channels_last: bool) -> torch.Tensor:
    t = t.detach().to(device.kind, _dtype_of(t, dtype))
    image = channels_last and t.dim() == 4
    return t.contiguous(memory_format=torch.channels_last) if image else t
