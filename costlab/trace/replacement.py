"""Stand-ins in the place of a model's own parameters and buffers, for code that asks tensors where
they are. A snapshot puts the model's own back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from .modules import modules_of
from .tensor_table import Outside, TensorTable


def replace_tensors_elsewhere(table: TensorTable, model: nn.Module) -> None:
    """Put stand-ins in the place of parameters and buffers that are on another device: autocast
    and the model's own code ask tensors where they are. A snapshot puts the model's own
    back."""
    for own in _registered(model):
        for name, t in own.items():
            if t is not None and t.device.type != table.device:
                outside = table.add_outside(t)
                assert outside.stand_in is not None, "add_outside makes one"
                if isinstance(t, nn.Parameter) and not isinstance(outside.stand_in, nn.Parameter):
                    outside.stand_in = nn.Parameter(outside.stand_in, requires_grad=t.requires_grad)
                table.outside[id(outside.stand_in)] = outside
                own[name] = outside.stand_in


def replace_to_train(table: TensorTable, model: nn.Module) -> list[nn.Parameter]:
    """Put stand-ins in the place of all parameters and buffers. Those of parameters are leaves of
    autograd, so that it runs on the tracing device and gives the model no gradients.

    Returns the leaves that require a gradient."""
    table.by_memory = {}
    leaves: dict[nn.Parameter, None] = {}
    for own in _registered(model):
        for name, t in own.items():
            if t is None:
                continue
            outside = table.add_outside(t)
            if isinstance(t, nn.Parameter):
                leaf = _make_leaf(table, outside, t)
                if t.requires_grad:
                    leaves[leaf] = None
            table.outside[id(outside.stand_in)] = outside
            own[name] = outside.stand_in
    return list(leaves)


def _make_leaf(table: TensorTable, outside: Outside, p: nn.Parameter) -> nn.Parameter:
    """Make a parameter's stand-in a leaf of autograd other than the parameter; the leaf."""
    own = outside.stand_in
    if own is not p and isinstance(own, nn.Parameter) and own.is_leaf:
        return own
    leaf = nn.Parameter(table.stand_in(p).detach(), requires_grad=p.requires_grad)
    outside.stand_in = leaf
    return leaf


def _registered(model: nn.Module) -> Iterator[dict[str, Any]]:
    """The parameters and the buffers of every module, as the dicts that they are registered in."""
    for module in modules_of(model):
        if not isinstance(module, torch.jit.ScriptModule):
            for kind in ("_parameters", "_buffers"):
                yield getattr(module, kind)
