"""Calls of modules in a trace: from which operation to which each one runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...trace import Op

Span = list[int]  # indices of the first and the last operation of a call; the last one grows


@dataclass
class _Call:
    """A call of the module at `path` that may go on: `number` of the call that its own operations
    are in (-1: it has had none yet), and its `span`."""

    path: str
    number: int
    span: Span


def module_calls(ops: Sequence[Op]) -> list[list[Span]]:
    """For each operation the spans of the module calls around it, innermost last."""
    found: list[list[Span]] = []
    running: list[_Call] = []
    for i, op in enumerate(ops):
        paths = _paths(op)
        del running[_going_on(running, paths, op.call) :]
        running += [_Call(path, -1, [i, i]) for path in paths[len(running) :]]
        running[-1].number = op.call
        for call in running:
            call.span[1] = i
        found.append([call.span for call in running])
    return found


def _paths(op: Op) -> list[str]:
    """The model, and the modules around an operation: "", "a", "a.b"."""
    parts = op.module.split(".") if op.module else []
    return [".".join(parts[:k]) for k in range(len(parts) + 1)]


def _going_on(running: list[_Call], paths: list[str], number: int) -> int:
    """How many of the running calls an operation is in."""
    for k, (call, path) in enumerate(zip(running, paths, strict=False)):
        again = k == len(paths) - 1 and call.number not in (-1, number)
        if call.path != path or again:
            return k
    return min(len(running), len(paths))
