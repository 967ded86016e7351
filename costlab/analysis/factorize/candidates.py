"""The convolutions of a trace that can be rewritten, with what each rewrite saves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from ...predict import Saving
from ...trace import Trace
from ...trace.record import Op
from .rewrites import REWRITES, Conv, predict, require_known


@dataclass(frozen=True)
class Candidate:
    """A convolution of a model and one rewrite: `params` (elements) and `macs` (multiply-adds) of
    all its `calls` on `inputs` of these shapes, before and after; `mid`: the width between; `time`:
    of all calls, where a profile predicts it."""

    path: str
    rewrite: str
    conv: Conv
    mid: int
    calls: int
    params: tuple[int, int]
    macs: tuple[int, int]
    inputs: tuple[tuple[int, ...], ...]
    time: Saving | None = None

    @property
    def time_saved(self) -> float | None:
        """Predicted seconds saved; None where there is no prediction, or only a bound."""
        saved = self.time.saved if self.time else None
        return saved.seconds if saved else None

    @property
    def is_better(self) -> bool:
        """Whether it saves time by prediction; MACs where there is none."""
        return (self.saved if self.time_saved is None else self.time_saved) > 0

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


def _candidate(
    path: str, rewrite: str, conv: Conv, mid: int, shapes: Sequence[tuple[int, ...]]
) -> Candidate:
    """What a rewrite of a convolution, called on inputs of these shapes, costs before and after."""
    grids = [cast("tuple[int, int]", s[2:]) for s in shapes]
    before = [predict(conv, None, mid, grid) for grid in grids]
    after = [predict(conv, rewrite, mid, grid) for grid in grids]
    macs = [
        sum(shape[0] * cost[1] for shape, cost in zip(shapes, side, strict=True))
        for side in (before, after)
    ]
    params = before[0][0], after[0][0]
    counts = params, (macs[0], macs[1])
    return Candidate(path, rewrite, conv, mid, len(shapes), *counts, tuple(shapes))


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
