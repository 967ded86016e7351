"""The layers style: one row a module, cut at a depth of the module tree, for any model."""

from __future__ import annotations

import re

from ..cost import total
from ..graph import WEIGHTED, layouts, longest
from ._parts import Group, common_path, patch, span

_UNMERGED = 2000
_MOST, _ROWS = 0.4, 40  # a module with more than this share is opened while so many rows hold them
_RUN = 4


def rows(trace, nodes, depth=None, merge=True):
    """Groups by module path in the order of their first operation: cut at `depth` (a set: those
    modules opened), or, without one, with every module opened that holds most of the MACs or
    params. Then, with `merge`, alike modules whose paths differ in a number are one row,
    `times`."""
    model = _Model(trace, nodes)
    if depth is not None:
        if isinstance(depth, frozenset):
            return [r.group for r in model.rows(depth, merge)]
        return [
            model.group(key, ops)
            for key, ops in model.cut(lambda path: path[:depth], runs=not merge)
        ]
    return [r.group for r in model.opened(merge)[0]]


def opened(trace, nodes) -> frozenset:
    """The module paths (as tuples) that the style opens when no depth is given."""
    return frozenset(_Model(trace, nodes).opened(False)[1])


class _Row:
    """A group, the module paths (as tuples) that it stands for, and its cost."""

    def __init__(self, trace, group, keys):
        t = total(trace, group.ops)
        self.group, self.keys, self.macs, self.params = group, keys, t.macs, t.params

    def take(self, other):
        self.group.ops.extend(other.group.ops)
        self.group.nodes.extend(other.group.nodes)


class _Model:
    def __init__(self, trace, nodes):
        self.trace, self.nodes = trace, nodes
        order = {id(op): i for i, op in enumerate(trace.ops)}
        self.ops = sorted((op for node in nodes for op in node.ops), key=lambda op: order[id(op)])
        self.layer = {id(node.op): node for node in nodes if node.op}
        self.maker = {i: op for op in self.ops for i in op.outputs}
        paths = {
            tuple(op.module.split(".")[:i])
            for op in self.ops
            for i in range(1, op.module.count(".") + 2)
        }
        self.deep = {p[:-1] for p in paths}  # modules with modules inside

    def cut(self, key, runs=False):
        """(path, operations) of each group; with `runs` a module that is called again after others
        is a group of its own."""
        found: dict[tuple, list] = {}
        times: dict[str, int] = {}
        last = None
        for op in self.ops:
            path = ".".join(key(tuple(op.module.split(".")) if op.module else ()))
            if runs and path != last:
                times[path] = times.get(path, 0) + 1
            last = path
            found.setdefault((path, times.get(path, 0)), []).append(op)
        return [(path, ops) for (path, _), ops in found.items()]

    def group(self, key, ops):
        shown = [op for op in ops if op.outputs]
        nodes = [self.layer[id(op)] for op in ops if id(op) in self.layer]
        own = [n for n in nodes if n.kind in WEIGHTED or n.kernel]
        itself = next(
            (o.module_type for o in ops if o.module == key), "block"
        )  # what the module does between its parts says what it is
        kind = (
            ops[0].module_type
            if all(o.module == key for o in ops)
            else own[0].op.module_type
            if len(own) == 1
            else itself
        )
        return Group(
            key,
            {
                "name": key or "(model)",
                "type": kind,
                "patch size/stride": patch(own[0]) if len(own) == 1 else "",
                "output size": layouts(self.trace)[shown[-1].outputs[0]].size if shown else "",
                "depth": self.depth(nodes),
            },
            nodes,
            ops,
        )

    def depth(self, nodes):
        """Layers on the longest way through them, which may lead through others in between."""
        if not nodes or nodes[-1].index - nodes[0].index + 1 == len(nodes):
            return longest(nodes)
        inside = {n.index for n in nodes}
        return longest(
            self.nodes[nodes[0].index : nodes[-1].index + 1],
            lambda n: n.kind in WEIGHTED and n.index in inside,
        )

    def opened(self, merge):
        """Rows, the dearest modules opened one after the other, and which were opened."""
        whole, opened = total(self.trace, self.ops), {()}

        def share(row):
            return max(row.macs / (whole.macs or 1), row.params / (whole.params or 1))

        found = self.rows(opened, merge)
        while True:
            best = max(
                (r for r in found if any(k in self.deep and k not in opened for k in r.keys)),
                key=share,
                default=None,
            )
            if best is None or share(best) <= _MOST:
                return found, opened
            more = opened | set(best.keys)
            finer = self.rows(more, merge)
            if len(finer) > (_ROWS if merge else _UNMERGED):
                return found, opened
            found, opened = finer, more

    def rows(self, opened, merge):
        def key(path):
            n = 1
            while path[:n] in opened and n < len(path):
                n += 1
            return path[:n]

        made: list[_Row] = []
        for path, ops in self.cut(key, runs=not merge):
            # what ran of a container between others is called by what it is
            row = _Row(
                self.trace,
                self.group(path if merge or not path else common_path(ops), ops),
                [tuple(path.split("."))],
            )
            if (
                made
                and not row.macs
                and not row.params
                and all(n.kind in ("join", "cat") for n in row.group.nodes)
            ):
                made[-1].take(row)  # activations and additions belong to what they follow
            else:
                made.append(row)
        return self.merged(made) if merge else made

    def merged(self, made):
        alike: dict[tuple, list[_Row]] = {}
        for r in made:
            path, cells = r.keys[0], r.group.cells
            # numbers tell blocks apart; the last one of a layer in a sequence tells different
            # layers apart
            pattern = tuple(
                re.sub(r"\d+", "*", p) for p in (path if path in self.deep else path[:-1])
            ) + (() if path in self.deep else path[-1:])
            alike.setdefault(
                (
                    pattern,
                    cells["type"],
                    cells["output size"],
                    cells["patch size/stride"],
                    r.macs,
                    r.params,
                ),
                [],
            ).append(r)
        return self.runs(
            [found[0] if len(found) == 1 else self.together(found) for found in alike.values()]
        )

    def runs(self, rows):
        """A long run of alike layers in a sequence is one row too."""
        found: list[list[_Row]] = []
        for r in rows:
            if (
                found
                and len(r.keys) == 1
                and _beside(found[-1][-1], r)
                and (found[-1][-1].macs, found[-1][-1].params) == (r.macs, r.params)
            ):
                found[-1].append(r)
            else:
                found.append([r])
        return [r for run in found for r in ([self.together(run)] if len(run) >= _RUN else run)]

    def together(self, found):
        first, nodes = found[0].group, [n for r in found for n in r.group.nodes]
        depth = self.depth(sorted(nodes, key=lambda n: n.index))
        cells = {
            **first.cells,
            "name": span([r.group.path for r in found]),
            "times": len(found),
            "depth": depth,
        }
        return _Row(
            self.trace,
            Group(first.path, cells, nodes, [op for r in found for op in r.group.ops]),
            [k for r in found for k in r.keys],
        )


def _beside(a: _Row, b: _Row) -> bool:
    """Whether two rows are layers of one module that look the same."""
    shown = ("type", "output size", "patch size/stride")
    return a.keys[0][:-1] == b.keys[0][:-1] and all(
        a.group.cells[k] == b.group.cells[k] for k in shown
    )
