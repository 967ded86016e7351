"""What the table styles share: a group of layers that becomes a row, and how its shapes and module
paths are written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

from ..graph import Node
from ..trace.record import Op

_RUNS = 5  # of numbers that a name lists


@dataclass(frozen=True)
class Group:
    """A row before it is counted.

    Attributes:
        path: path of the module.
        cells: values by column key.
        nodes: its layers.
        ops: its operations.
        part: of the module, where it has several rows: what tells this one from the others.
    """

    path: str
    cells: dict[str, Any]
    nodes: list[Node]
    ops: list[Op]
    part: str = ""


def x(shape: Iterable[int]) -> str:
    """(3, 3) -> 3x3."""
    return "x".join(map(str, shape))


def patch(node: Node) -> str:
    """Patch size/stride: 7x7/2."""
    if not node.kernel:
        return ""
    stride = node.stride
    return f"{x(node.kernel)}/{stride[0] if len(set(stride)) == 1 else x(stride)}"


def rate_of(node: Node) -> str:
    """Dilation: 2, or 1x2 where it differs by dimension."""
    return str(node.dilation[0]) if len(set(node.dilation)) == 1 else x(node.dilation)


def common_path(ops: Iterable[Op]) -> str:
    """The module path that all operations share."""
    modules = {op.module for op in ops}
    common = commonprefix((min(modules), max(modules)))  # of all, as these are the most unlike
    if all(m[len(common) : len(common) + 1] in ("", ".") for m in modules):
        return common
    return common.rpartition(".")[0]


def span(paths: Iterable[str]) -> str:
    """layers.0.mlp to layers.11.mlp -> layers.0-11.mlp; with gaps layers.{0,2}.mlp."""
    parts = [re.split(r"(\d+)", p) for p in paths]
    out: list[str] = []
    for column in zip(*parts, strict=False):
        values = list(dict.fromkeys(column))
        out.append(values[0] if len(values) == 1 else _numbers(map(int, values)))
    return "".join(out)


def _numbers(values: Iterable[int]) -> str:
    """0-11, or {0-3,5} with gaps."""
    runs: list[list[int]] = []
    for n in sorted(values):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    words = [f"{a}-{b}" if b > a else f"{a}" for a, b in runs]
    if len(words) > _RUNS:
        words = [*words[: _RUNS - 2], "...", words[-1]]
    return words[0] if len(words) == 1 else "{" + ",".join(words) + "}"
