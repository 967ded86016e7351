"""Which modules run one after another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ...trace import Trace
from .result import Stage

_MOST = 0.4  # of the operations; where one stage has more, modules are opened
_DEEPEST = 4  # levels of modules


def stages(trace: Trace) -> tuple[Stage, ...]:
    """The modules that run one after another, opened until none has most of the operations; the
    backward pass is one stage at the end."""
    forward = [op.module for op in trace.forward]
    found: tuple[Stage, ...] = ()
    for depth in range(1, _DEEPEST + 1):
        found = tuple(_at(forward, depth))
        if max((s.last - s.first + 1 for s in found), default=0) <= _MOST * len(forward):
            break
    first, last = len(forward), len(trace.ops) - 1
    return (*found, Stage("backward", first, last)) if last >= first else found


def _at(modules: Sequence[str], depth: int):
    """The stretches of operations in one module at a depth."""
    first = 0
    for name, run in groupby(".".join(m.split(".")[:depth]) for m in modules):
        last = first + len(list(run)) - 1
        yield Stage(name or "(model)", first, last)
        first = last + 1
