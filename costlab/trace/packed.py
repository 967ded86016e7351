"""Weights that are no `nn.Parameter`: packed by eager quantization, or in a wrapper subclass."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from .modules import named_modules


def is_packed(value) -> bool:
    """Whether a value is a TorchBind object that packs a weight and a bias (torch.ao)."""
    return isinstance(value, torch.ScriptObject) and value._has_method("unpack")  # pyright: ignore[reportAttributeAccessIssue]  (not in torch's stubs)


def packed_modules(model: nn.Module) -> Iterator[tuple[str, object]]:
    """The path of each quantized layer and its packed weight and bias."""
    for path, module in named_modules(model):
        if isinstance(module, torch.jit.ScriptModule):
            continue
        for value in vars(module).values():
            if is_packed(value):
                yield path.removesuffix("._packed_params"), value


def unpacked(value) -> tuple[tuple[str, torch.Tensor], ...]:
    """The tensors of a packed object by name: its weight, and its bias where it has one."""
    found = zip(("weight", "bias"), value.unpack(), strict=False)
    return tuple((name, t) for name, t in found if isinstance(t, torch.Tensor))


def inner_tensors(t: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The tensors that a wrapper subclass keeps its values in; none of a plain tensor."""
    flatten = getattr(t, "__tensor_flatten__", None)
    if flatten is None:
        return ()
    names, _ = flatten()
    found: list[torch.Tensor] = []
    for name in names:
        inner = getattr(t, name)
        found += inner_tensors(inner) or (inner,)
    return tuple(found)
