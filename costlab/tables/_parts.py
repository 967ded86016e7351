"""What the table styles share: a group of layers that becomes a row, and how its shapes are spelt."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..graph import Node
from ..trace.record import Op


_RUNS = 5  # of numbers that a name lists


@dataclass(frozen=True)
class Group:
    """A row before it is counted: `path` the module path, `cells` by column, `nodes` its layers, `ops` its operations."""

    path: str
    cells: dict
    nodes: list[Node]
    ops: list[Op]


def x(shape) -> str:
    """(3, 3) -> 3x3."""
    return "x".join(map(str, shape))


def patch(node: Node) -> str:
    """Patch size/stride: 7x7/2."""
    stride = node.stride
    return (
        f"{x(node.kernel)}/{stride[0] if len(set(stride)) == 1 else x(stride)}"
        if node.kernel
        else ""
    )


def rate_of(node: Node) -> str:
    """Dilation: 2, or 1x2 where it differs by dimension."""
    return str(node.dilation[0]) if len(set(node.dilation)) == 1 else x(node.dilation)


def common_path(ops) -> str:
    """The module path that all operations share."""
    common = []
    for parts in zip(*(op.module.split(".") for op in ops)):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return ".".join(common)


def span(paths) -> str:
    """layers.0.mlp to layers.11.mlp -> layers.0-11.mlp; with gaps layers.{0,2}.mlp."""
    parts = [re.split(r"(\d+)", p) for p in paths]
    out = []
    for column in zip(*parts):
        values = list(dict.fromkeys(column))
        if len(values) == 1:
            out.append(values[0])
        else:
            runs = []
            for n in sorted(map(int, values)):
                if runs and n == runs[-1][1] + 1:
                    runs[-1][1] = n
                else:
                    runs.append([n, n])
            words = [f"{a}-{b}" if b > a else f"{a}" for a, b in runs]
            if len(words) > _RUNS:
                words = [*words[: _RUNS - 2], "...", words[-1]]
            out.append(words[0] if len(words) == 1 else "{" + ",".join(words) + "}")
    return "".join(out)
