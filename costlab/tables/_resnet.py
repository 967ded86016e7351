"""The resnet style: Table 1 of *Deep Residual Learning* (He et al., arXiv 1512.03385), stages as [3x3, 64; 3x3, 64] x 2."""

from __future__ import annotations

from ..graph import WEIGHTED, Fork, forks, longest, residuals
from ._parts import Group, common_path, patch, rate_of, x


_LONG = 8  # layers of a block that a cell names


def _layer(node) -> str:
    if node.kind == "linear":
        return f"linear, {node.width}"
    rate = f", dilated {rate_of(node)}" if set(node.dilation) - {1} else ""
    if node.groups == 1:
        return f"{x(node.kernel)}, {node.width}{rate}"
    if node.groups == node.in_shape[1]:
        return f"{x(node.kernel)} depthwise, {node.width}{rate}"
    return f"{x(node.kernel)}, {node.width}, groups {node.groups}{rate}"


def _body(nodes) -> str:
    """Layers in a row; of a squeeze-and-excitation side only its width."""
    found = []
    for n in nodes:
        if n.kind not in WEIGHTED:
            found += [_single(n)] if n.kernel else []
            continue
        squeezed = n.kind == "conv" and set(n.in_shape[2:]) == {1} and len(nodes) > 2
        if not squeezed:
            found.append(_layer(n) + _stride(n))
        elif not found or not found[-1].startswith("squeeze"):
            found.append(f"squeeze-excite, {n.width}")
    if len(found) > _LONG:
        found = [*found[: _LONG - 2], f"... {len(found)} layers"]
    return "[" + "; ".join(found) + "]"


def _stride(node) -> str:
    return f", stride {patch(node).split('/')[1]}" if set(node.stride) - {1} else ""


def _single(node) -> str:
    if node.kind in WEIGHTED:
        return _layer(node) + _stride(node)
    return f"{x(node.kernel)} {node.kind}{_stride(node)}" if node.kernel else node.kind


def rows(trace, nodes, depth=None, merge=True):
    """Groups in execution order: a run of alike residual blocks is one row; so are layers without a shortcut that share a
    module at the depth of the residual blocks (the strided blocks of mobile networks); then each other layer."""
    blocks = {b.end: b for b in residuals(nodes)}
    owner = {m: b for b in blocks.values() for m in b.members}
    level = min(
        (
            common_path(nodes[i].op for i in b.members if nodes[i].op).count(".") + 1
            for b in blocks.values()
        ),
        default=99,
    )
    parallel = {
        m: f for f in forks(nodes) for m in f.members if not any(i in owner for i in f.members)
    }
    groups, previous = [], None  # [cells text, nodes, times]
    for n in nodes:
        block = owner.get(n.index)
        fork = parallel.get(n.index)
        if fork:
            if n.index == fork.end:
                groups.append([fork, [nodes[i] for i in fork.members], 1])
            previous = None
        elif block is None:
            path = n.op.module.split(".")[:level] if n.op else []
            if len(path) == level and previous == path:
                groups[-1][1].append(n)
            elif n.op or n.ops:
                groups.append([None, [n], 1])
            previous = path
        elif n.index == block.end:
            members = [nodes[i] for i in block.members]
            # the first block of a stage has its stride: it is alike to the rest but for that
            alike = ("; ".join(map(_layer, block.body)), n.out_shape)
            if previous == (alike, block.root):
                groups[-1][1].extend(members)
                groups[-1][2] += 1
            else:
                groups.append([block, members, 1])
            groups[-1][0] = block
            previous = (alike, n.index)
    for block, members, times in groups:
        end = members[-1]
        several = [n for n in members if n.kind in WEIGHTED]
        if isinstance(block, Fork):
            layers = (
                "{"
                + " | ".join(_body(b.nodes) if b.nodes else "pass" for b in block.branches)
                + "}"
            )
        elif block:
            layers = f"{_body(block.body)} x {times}"
        elif len(members) > 1 and len(several) == 1:
            layers = _layer(several[0]) + _stride(several[0])
        elif len(members) > 1 and several:
            layers = f"{_body(several)} x 1, no shortcut"
        else:
            layers = _single(end) if end.op else "input"
        path = (
            common_path(n.op for n in members if n.op)
            if len(members) > 1
            else end.op.module
            if end.op
            else ""
        )
        yield Group(
            path,
            {
                "layer name": path or "(model)",
                "output size": end.layout.size,
                "layers": layers,
                "depth": longest(members),
            },
            members,
            [op for n in members for op in n.ops],
        )
