"""Weights that are not `nn.Parameter`: packed by eager quantization, in oneDNN's own layout, or in
a wrapper subclass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from .._narrow import is_list
from .modules import named_modules, named_tensors

_WINDOW = ("stride", "padding", "dilation", "groups")  # what a packed convolution keeps beside


def is_packed(value: object) -> bool:
    """Whether a value is a TorchBind object that packs weights and biases (torch.ao)."""
    return isinstance(value, torch.ScriptObject) and (_has(value, "unpack") or _is_recurrent(value))


def _has(value: Any, method: str) -> bool:
    return value._has_method(method)


def _is_recurrent(value: Any) -> bool:
    """Whether it packs a layer of a recurrent network in one direction."""
    return "rnn.CellParams" in str(value._type())


def window(value: Any) -> dict[str, object]:
    """Stride, padding, dilation and groups of a packed convolution; of another nothing."""
    if not all(_has(value, name) for name in _WINDOW):
        return {}
    kept = {name: getattr(value, name)() for name in _WINDOW}
    return {name: tuple(v) if is_list(v) else v for name, v in kept.items()}


def packed_modules(model: nn.Module) -> Iterator[tuple[str, object]]:
    """The path of each quantized layer and its packed weight and bias."""
    for path, module in named_modules(model):
        if isinstance(module, torch.jit.ScriptModule):
            continue
        for value in vars(module).values():
            if is_packed(value):
                yield path.removesuffix("._packed_params"), value


def unpacked(value: Any) -> tuple[tuple[str, torch.Tensor], ...]:
    """The tensors of a packed object by name: its weight, and its bias where it has one; of a
    recurrent layer those of the input and of the hidden state."""
    if _is_recurrent(value):
        (_, biases, _, _, products), _ = value.__getstate__()
        weights = [product.unpack()[0] for product in products]
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return tuple(zip(names, (*weights, *biases), strict=False))
    found = zip(("weight", "bias"), value.unpack(), strict=False)
    return tuple((name, t) for name, t in found if isinstance(t, torch.Tensor))


def reordered_tensors(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights and biases of the layers of `torch.utils.mkldnn`, by name: buffers in oneDNN's
    own layout, as the statistics beside them are."""
    for name, t in named_tensors(model, "_buffers"):
        if t.is_mkldnn and name.rpartition(".")[2] in ("weight", "bias"):
            yield name, t


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
