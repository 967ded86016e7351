"""Why a convolution cannot be replaced in a model, although its geometry could be rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from torch import nn

from ...trace import Trace
from . import notes
from .candidates import Candidate
from .rewrites import Conv


@dataclass(frozen=True)
class Obstacle:
    """What would be lost, or go wrong, if a convolution were replaced. `detail`: the type of the
    module, or the padding mode."""

    kind: Literal["no module", "type", "hooks", "padding mode", "uneven padding", "tied", "read"]
    detail: str = ""

    def __str__(self) -> str:
        return notes.obstacle(self)


def replaceable(
    model: nn.Module, trace: Trace, found: Sequence[Candidate]
) -> tuple[list[Candidate], dict[str, Obstacle]]:
    """The candidates that can be applied to `model`, and the obstacles of the other convolutions by
    path."""
    obstacles = {c.path: obstacle(model, trace, c) for c in found}
    refused = {path: what for path, what in obstacles.items() if what}
    return [c for c in found if c.path not in refused], refused


def obstacle(model: nn.Module, trace: Trace, c: Candidate) -> Obstacle | None:
    """Why a candidate's convolution cannot be replaced in `model`; None where it can."""
    try:
        module = model.get_submodule(c.path)
    except AttributeError:
        return Obstacle("no module")
    if type(module) is not nn.Conv2d:
        return Obstacle("type", type(module).__name__)
    return _own_obstacle(module, c.conv) or _shared_obstacle(model, module, trace, c.path)


def _own_obstacle(module: nn.Conv2d, conv: Conv) -> Obstacle | None:
    own = cast("Any", module)  # what torch keeps in it is private
    hooks = own._forward_hooks or own._forward_pre_hooks
    if hooks or "weight" not in own._parameters:
        return Obstacle("hooks")
    if module.padding_mode != "zeros":
        return Obstacle("padding mode", module.padding_mode)
    if isinstance(module.padding, str) and any(k % 2 == 0 for k in conv.kernel):
        return Obstacle("uneven padding")
    return None


def _shared_obstacle(
    model: nn.Module, module: nn.Conv2d, trace: Trace, path: str
) -> Obstacle | None:
    owners = {
        id(m)
        for m in model.modules()
        for p in m._parameters.values()  # pyright: ignore[reportPrivateUsage]
        if p is module.weight
    }
    if len(owners) > 1:
        return Obstacle("tied")
    here = ("aten.convolution", path)
    own = {i for op in trace.forward if (op.name, op.module) == here for i in op.params}
    elsewhere = (op for op in trace.forward if (op.name, op.module) != here)
    if any(own.intersection(op.params) for op in elsewhere):
        return Obstacle("read")
    return None
