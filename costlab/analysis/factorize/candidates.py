"""The convolutions of a model that can be rewritten, and which of the rewrites are wanted."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from ...trace import Trace
from ...trace.record import Op
from .rewrites import REWRITES, Conv, predict, require_known


@dataclass(frozen=True)
class Candidate:
    """A convolution of a model and one rewrite: `params` (elements) and `macs` (multiply-adds) of
    all its `calls`, before and after; `mid`: the width between."""

    path: str
    rewrite: str
    conv: Conv
    mid: int
    calls: int
    params: tuple[int, int]
    macs: tuple[int, int]

    @property
    def saved(self) -> int:
        """MACs saved; negative where the rewrite costs more."""
        return self.macs[0] - self.macs[1]


def candidates(
    trace: Trace, rewrites: Sequence[str] | None = None, mid: str | int = "default"
) -> list[Candidate]:
    """Every convolution that ran in `trace` (2-d, undilated, ungrouped, with its own weight) with
    each eligible rewrite, the largest saving first.

    `mid`: in, out, sqrt, default or a number. Raises ValueError for an unknown rewrite or middle
    width."""
    require_known(rewrites)
    inputs: dict[tuple[str, Conv], list[tuple[int, ...]]] = {}
    for op in trace.forward:
        conv = _convolution(trace, op)
        if conv:
            inputs.setdefault((op.module, conv), []).append(trace.shapes(op)[0])
    found = [
        _candidate(path, name, conv, middle_width(conv, name, mid), shapes)
        for (path, conv), shapes in inputs.items()
        for name, rewrite in REWRITES.items()
        if (not rewrites or name in rewrites) and rewrite.eligible(conv)
    ]
    return sorted(found, key=lambda c: (-c.saved, c.path, c.rewrite))


def _convolution(trace: Trace, op: Op) -> Conv | None:
    """The geometry of an operation that can be rewritten; None for any other."""
    plain = op.name == "aten.convolution" and op.params and not op.attrs.get("transposed")
    if not plain or op.attrs.get("groups") != 1:
        return None
    weight = trace.shapes(op)[1]
    if len(weight) != 4 or _both(op, "dilation") != (1, 1):
        return None
    c_out, c_in, h, w = weight
    has_bias = len(op.params) > 1
    return Conv(c_in, c_out, (h, w), _both(op, "stride"), _both(op, "padding"), has_bias)


def _both(op: Op, attribute: str) -> tuple[int, int]:
    """An attribute of both directions; torch may give one number for both."""
    values = tuple(op.attrs[attribute])
    return values[0], values[-1]


def _candidate(path: str, rewrite: str, conv: Conv, mid: int, shapes) -> Candidate:
    """What a rewrite of a convolution, called on inputs of these shapes, costs before and after."""
    before = [predict(conv, None, mid, s[2:]) for s in shapes]
    after = [predict(conv, rewrite, mid, s[2:]) for s in shapes]
    macs = [
        sum(shape[0] * cost[1] for shape, cost in zip(shapes, side, strict=True))
        for side in (before, after)
    ]
    params = before[0][0], after[0][0]
    return Candidate(path, rewrite, conv, mid, len(shapes), params, (macs[0], macs[1]))


def middle_width(conv: Conv, rewrite: str, policy: str | int) -> int:
    """The width between the new convolutions: in, out, sqrt, default or a number. Raises ValueError
    for anything else."""
    widths = {
        "default": REWRITES[rewrite].default_mid(conv),
        "in": conv.c_in,
        "out": conv.c_out,
        "sqrt": max(1, round(math.sqrt(conv.c_in * conv.c_out))),
    }
    if isinstance(policy, int) and policy > 0:
        return policy
    if policy not in widths:
        raise ValueError(
            f"unknown middle width {policy!r}; choose in, out, sqrt, default or a number from 1"
        )
    return widths[policy]


def replaceable(
    model: nn.Module, trace: Trace, found: Sequence[Candidate]
) -> tuple[list[Candidate], dict[str, str]]:
    """The candidates that can be applied to `model`, and the reasons of the other convolutions by
    path."""
    reasons = {c.path: obstacle(model, trace, c) for c in found}
    refused = {path: reason for path, reason in reasons.items() if reason}
    return [c for c in found if c.path not in refused], refused


def obstacle(model: nn.Module, trace: Trace, c: Candidate) -> str:
    """Why a candidate's convolution cannot be replaced in `model`; "" where it can."""
    try:
        module = model.get_submodule(c.path)
    except AttributeError:
        return "it is no module"
    if type(module) is not nn.Conv2d:
        return f"it is a {type(module).__name__}, not an nn.Conv2d"
    return _own_obstacle(module, c.conv) or _shared_obstacle(model, module, trace, c.path)


def _own_obstacle(module: nn.Conv2d, conv: Conv) -> str:
    if module._forward_hooks or module._forward_pre_hooks or "weight" not in module._parameters:
        return "it has hooks or a norm of its weight, which would be lost"
    if module.padding_mode != "zeros":
        return f"its padding is {module.padding_mode}"
    if isinstance(module.padding, str) and any(k % 2 == 0 for k in conv.kernel):
        return "it pads its sides unevenly"
    return ""


def _shared_obstacle(model: nn.Module, module: nn.Conv2d, trace: Trace, path: str) -> str:
    owners = {id(m) for m in model.modules() for p in m._parameters.values() if p is module.weight}
    if len(owners) > 1:
        return "its weight is tied to another module's"
    here = ("aten.convolution", path)
    own = {i for op in trace.forward if (op.name, op.module) == here for i in op.params}
    elsewhere = (op for op in trace.forward if (op.name, op.module) != here)
    if any(own.intersection(op.params) for op in elsewhere):
        return "its weight is read elsewhere"
    return ""


def choose(
    found: Sequence[Candidate], wanted: Sequence[str], refused: Mapping[str, str] | None = None
) -> list[Candidate]:
    """Candidates by name: PATH (its best rewrite), PATH:REWRITE, or "best" (the best saving rewrite
    of every convolution). `refused`: convolutions that cannot be replaced, with the reason.

    Raises ValueError for a name that is no candidate."""
    refused = refused or {}
    chosen: list[Candidate] = []
    for name in wanted:
        chosen += _best(found, refused) if name == "best" else [_named(name, found, refused)]
    return chosen


def _best(found: Sequence[Candidate], refused: Mapping[str, str]) -> list[Candidate]:
    best: dict[str, Candidate] = {}
    for c in found:
        if c.saved > 0:
            best.setdefault(c.path, c)
    if best:
        return list(best.values())
    if found:
        raise ValueError("no rewrite saves MACs at this middle width; try --mid in")
    if refused:
        path, reason = next(iter(refused.items()))
        raise ValueError(f"no convolution here can be replaced; {path}: {reason}")
    raise ValueError(
        "there is no convolution that can be factorized: 2-d, dense and larger than 1x1"
    )


def _named(name: str, found: Sequence[Candidate], refused: Mapping[str, str]) -> Candidate:
    paths = {c.path for c in found}
    path, rewrite = name, ""
    if name not in paths and name not in refused and ":" in name:
        path, _, rewrite = name.rpartition(":")
    if path in refused:
        raise ValueError(f"{path} cannot be replaced: {refused[path]}")
    for c in found:
        if c.path == path and rewrite in ("", c.rewrite):
            return c
    near = [p for p in difflib.get_close_matches(path, paths, 1) if p != path]
    hint = f"did you mean {near[0]}?" if near else "run without --apply to see them"
    raise ValueError(f"no rewrite {name!r}; {hint}")
