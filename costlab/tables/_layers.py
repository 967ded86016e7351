"""The layers style: one row a module, cut at a depth of the module tree, for any model."""
from __future__ import annotations

from ..graph import WEIGHTED, longest
from ._parts import Group, patch, size


def rows(trace, nodes, depth):
    """Groups by module path cut at `depth`, in the order of their first operation."""
    groups: dict[str, tuple[list, list]] = {}
    for node in nodes:
        for op in node.ops:
            key = ".".join(op.module.split(".")[:depth])
            ops, members = groups.setdefault(key, ([], []))
            ops.append(op)
            if op is node.op:
                members.append(node)
    for key, (ops, members) in groups.items():
        shown = [op for op in ops if op.outputs]
        own = [n for n in members if n.kind in WEIGHTED or n.kernel]
        yield Group(key, {
            "name": key or "(model)",
            "type": ops[0].module_type if all(o.module == key for o in ops) else "block",
            "patch size/stride": patch(own[0]) if len(own) == 1 else "",
            "output size": size(trace.tensors[shown[-1].outputs[0]].shape) if shown else "",
            "depth": longest(members)}, members, ops)
