"""The layers style: one row a module, cut at a depth of the module tree, for any model."""
from __future__ import annotations

import re

from ..cost import total
from ..graph import WEIGHTED, longest
from ._parts import Group, patch, size

_MOST, _ROWS = 0.4, 64  # without a depth: a module with more than this share is opened, as long as so many rows hold them


def rows(trace, nodes, depth=None, merge=True):
    """Groups by module path in the order of their first operation: cut at `depth`, or, without one, with every module opened that
    holds most of the MACs or params. Then, with `merge`, alike modules whose paths differ in a number are one row, x times."""
    members = {}
    for node in nodes:
        members.update((id(op), node) for op in node.ops if op is node.op)
    ops = [op for node in nodes for op in node.ops]
    if depth is not None:
        return [_group(trace, key, found, members) for key, found in _cut(ops, lambda path: path[:depth]).items()]
    opened = {()}
    paths = {tuple(op.module.split(".")[: i]) for op in ops for i in range(1, op.module.count(".") + 2)}
    deep = {p[:-1] for p in paths}
    groups = _groups(trace, nodes, ops, members, opened, deep, merge)
    whole = total(trace, ops)
    while True:
        best = max((g for g in groups if any(k in deep and k not in opened for k in g.keys)), key=lambda g: g.share(whole), default=None)
        if best is None or best.share(whole) <= _MOST:
            break
        more = opened | set(best.keys)
        finer = _groups(trace, nodes, ops, members, more, deep, merge)
        if len(finer) > _ROWS:
            break
        opened, groups = more, finer
    return [g.group for g in groups]


def _cut(ops, key):
    found: dict[str, list] = {}
    for op in ops:
        found.setdefault(".".join(key(tuple(op.module.split(".")) if op.module else ())), []).append(op)
    return found


class _Rows:
    """A group with the module paths (as tuples) that it stands for, and its cost."""

    def __init__(self, trace, group, keys):
        t = total(trace, group.ops)
        self.group, self.keys, self.macs, self.params = group, keys, t.macs, t.params

    def take(self, other):
        self.group.ops.extend(other.group.ops)
        self.group.nodes.extend(other.group.nodes)

    def share(self, whole):
        return max(self.macs / (whole.macs or 1), self.params / (whole.params or 1))


def _groups(trace, graph, ops, members, opened, deep, merge):
    def key(path):
        n = 1
        while path[:n] in opened and n < len(path):
            n += 1
        return path[:n]
    made = []
    for path, found in _cut(ops, key).items():
        row = _Rows(trace, _group(trace, path, found, members), [tuple(path.split("."))])
        if made and not row.macs and not row.params and all(n.kind in ("join", "cat") for n in row.group.nodes):
            made[-1].take(row)  # activations and additions belong to what they follow
        else:
            made.append(row)
    if not merge:
        return made
    alike: dict[tuple, list] = {}
    for r in made:
        path = r.keys[0]
        # numbers tell blocks apart; the last one of a layer in a sequence tells different layers apart
        pattern = tuple(re.sub(r"\d+", "*", p) for p in (path if path in deep else path[:-1])) + (() if path in deep else path[-1:])
        cells = r.group.cells
        alike.setdefault((pattern, cells["type"], cells["output size"], cells["patch size/stride"], r.macs, r.params), []).append(r)
    result = []
    for found in alike.values():
        if len(found) == 1:
            result.append(found[0])
            continue
        ops, path = [op for r in found for op in r.group.ops], _span([r.group.path for r in found])
        nodes = [members[id(op)] for op in ops if id(op) in members]
        inside = {n.index for n in nodes}
        cells = {**found[0].group.cells, "name": path, "times": len(found), "depth": longest(graph, lambda n: n.kind in WEIGHTED and n.index in inside)}
        result.append(_Rows(trace, Group(found[0].group.path, cells, nodes, ops), [k for r in found for k in r.keys]))
    return result


def _span(paths):
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


def _group(trace, key, ops, members):
    shown = [op for op in ops if op.outputs]
    nodes = [members[id(op)] for op in ops if id(op) in members]
    own = [n for n in nodes if n.kind in WEIGHTED or n.kernel]
    return Group(key, {
        "name": key or "(model)",
        "type": ops[0].module_type if all(o.module == key for o in ops) else "block",
        "patch size/stride": patch(own[0]) if len(own) == 1 else "",
        "output size": size(trace.tensors[shown[-1].outputs[0]].shape) if shown else "",
        "depth": longest(nodes)}, nodes, ops)
