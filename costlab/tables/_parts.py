"""What the table styles share: a group of layers that becomes a row, and how its shapes are spelt."""
from __future__ import annotations

import re
from dataclasses import dataclass

from ..graph import Node
from ..trace._record import Op


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


def size(shape) -> str:
    """(N, C, H, W) as the papers print it: HxWxC; (N, C): 1x1xC; other ranks as they are."""
    if len(shape) == 2:
        return f"1x1x{shape[1]}"
    return x((*shape[2:], shape[1])) if len(shape) > 3 else x(shape)


def patch(node: Node) -> str:
    """Patch size/stride: 7x7/2."""
    stride = node.stride
    return f"{x(node.kernel)}/{stride[0] if len(set(stride)) == 1 else x(stride)}" if node.kernel else ""


def common_path(nodes) -> str:
    """The module path that all layers share."""
    common = []
    for parts in zip(*(n.op.module.split(".") for n in nodes if n.op)):
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
            numbers = sorted(map(int, values))
            out.append(f"{numbers[0]}-{numbers[-1]}" if numbers == list(range(numbers[0], numbers[-1] + 1)) else "{" + ",".join(map(str, numbers)) + "}")
    return "".join(out)
