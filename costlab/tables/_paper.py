"""The paper style: GoogLeNet's Table 1, with the columns that later Inception papers add, from the
graph alone."""

from __future__ import annotations

import re

from ..graph import WEIGHTED, Branch, Fork, Node, consumers, forks, longest
from ._parts import Group, common_path, patch, rate_of, x

NAMED = 8  # layers of a branch that a column header names
_TYPES = {"conv": "convolution", "transposed conv": "transposed convolution"}


def _run(kernels: list[str]) -> str:
    """Kernel names in a row as the papers' headers: 3x3; double #3x3; 1x7+7x1; double #1x7+7x1."""
    for times, word in ((2, "double"), (3, "triple")):
        part = kernels[: len(kernels) // times]
        if len(kernels) > 1 and part * times == kernels:
            return f"{word} #{'+'.join(part)}"
    return "#" + "+".join(kernels)


def _widths(nodes) -> int | str:
    """The filters a cell prints: the last layer's, with the earlier ones before an arrow where they
    differ."""
    widths = [n.width for n in nodes]
    return widths[-1] if len(set(widths)) == 1 else "→".join(map(str, dict.fromkeys(widths)))


def _name(node: Node) -> str:
    if node.kind != "conv":
        return node.kind
    rate = f" dilated {rate_of(node)}" if set(node.dilation) - {1} else ""
    if node.groups > 1:
        return (
            f"{x(node.kernel)} depthwise{rate}"
            if node.groups == node.in_shape[1]
            else f"{x(node.kernel)} groups {node.groups}{rate}"
        )
    return x(node.kernel) + rate


def _branch(branch: Branch, only_max: bool):
    """(column, value) pairs of one branch, read as the papers' tables read it."""
    chain, subs = list(branch.chain), branch.subs
    if not branch.nodes:
        return [("pass through", "yes")]
    if len(branch.nodes) > NAMED:
        last = [n for n in branch.nodes if n.kind in WEIGHTED][-1:] or branch.nodes[-1:]
        return [("other branch", f"{len(branch.nodes)} layers→{last[0].width}")]
    if subs:
        inner = [[_name(n) for n in s.nodes] for s in subs]
        cells = []
        if chain and chain[0].pointwise:
            head, chain = chain[0], chain[1:]
        else:
            head = None
        name = "#" + "+".join(
            [*map(_name, chain), "{" + ", ".join("+".join(i) for i in inner) + "}"]
        )
        if head:
            cells.append((f"{name} reduce", head.width))
        ends = "+".join(str(_widths(s.nodes)) for s in subs)
        return [*cells, (name, f"{_widths(chain)}→{ends}" if chain else ends)]
    pools = [n for n in chain if n.kind.endswith("pool")]
    if pools and chain[0] is pools[0]:
        kind = pools[0].kind.split()[0]
        if len(chain) == 1:
            return [("pool proj", f"{kind} + pass through")]
        if len(chain) == 2 and chain[1].pointwise:
            return [("pool proj", chain[1].width if only_max else f"{kind} + {chain[1].width}")]
    if any(n.kind != "conv" or n.groups > 1 for n in chain):
        return [
            (
                "#" + "+".join(map(_name, chain)),
                _widths([n for n in chain if n.kind in WEIGHTED] or chain[-1:]),
            )
        ]
    head = chain[0] if chain[0].pointwise and len(chain) > 1 else None
    body = chain[1:] if head else chain
    name = _run([_name(n) for n in body])
    return [*([(f"{name} reduce", head.width)] if head else []), (name, _widths(body))]


def _label(fork: Fork, nodes, path) -> str:
    """ "inception (3a)" for Inception at inception3a; "Fire (features.3)"; "fork" where no module
    holds it."""
    end = nodes[fork.end].op
    if not path or end.module != path:
        return f"fork ({path})" if path else "fork"
    kind, leaf = end.module_type, path.rsplit(".", 1)[-1]
    m = re.fullmatch(r"([A-Za-z]+?)_?(\d\w*)", leaf)
    return f"{m[1].lower()} ({m[2]})" if m and m[1].lower() in kind.lower() else f"{kind} ({path})"


def _plain(node: Node) -> str:
    if node.op and node.kind == "dropout" and "p" in node.op.attrs:
        return f"dropout ({100 * node.op.attrs['p']:.0f}%)"
    return _TYPES.get(node.kind, node.kind)


def _joins_previous(node, last, readers):
    """GoogLeNet prints a 1x1 and the convolution after it as one row of depth 2."""
    return (
        node.kind == "conv"
        and last is not None
        and last.pointwise
        and node.preds == (last.index,)
        and readers[last.index] == 1
        and not node.pointwise
        and set(last.stride) == set(node.stride) == {1}
        and node.groups == last.groups == 1
    )


def _separable(node, last, readers):
    """A depthwise convolution and the 1x1 after it are one separable layer (Batch Normalization,
    Figure 5, first row)."""
    return (
        node.pointwise
        and node.groups == 1
        and last is not None
        and last.kind == "conv"
        and last.groups == last.in_shape[1] > 1
        and not last.pointwise
        and node.preds == (last.index,)
        and readers[last.index] == 1
    )


def rows(trace, nodes, depth=None, merge=True):
    """Groups in execution order: a fork is one row, then each other layer. `depth` and `merge` are
    those of the other styles, and change nothing here."""
    found = forks(nodes)
    only_max = _only_max(found)
    for fork, members in _in_rows(nodes, found):
        end = members[-1]
        path = end.op.module if end.op else ""
        if fork:
            path = common_path(n.op for n in members if n.op)
        cells = {"output size": end.layout.size, "depth": longest(members)}
        cells |= _fork_cells(fork, members, nodes, path, only_max) if fork else _cells(members)
        yield Group(path, cells, members, [op for n in members for op in n.ops])


def _only_max(found: tuple[Fork, ...]) -> bool:
    """Whether all pools of branches are max pools before a projection, so that no cell says so."""
    first = [(b.chain[0].kind, len(b.chain)) for f in found for b in f.branches if b.chain]
    return all(kind != "avg pool" and (kind, n) != ("max pool", 1) for kind, n in first)


def _in_rows(nodes, found: tuple[Fork, ...]) -> list[tuple[Fork | None, list[Node]]]:
    """(the fork or None, layers) of each row."""
    owner = {m: f for f in found for m in f.members}
    readers = [len(r) for r in consumers(nodes)]
    groups: list[tuple[Fork | None, list[Node]]] = []
    if nodes[0].ops:
        groups.append((None, [nodes[0]]))
    done, last = set(), None
    for n in nodes[1:]:
        fork = owner.get(n.index)
        if fork is not None:
            if fork.end not in done:
                done.add(fork.end)
                groups.append((fork, [nodes[i] for i in fork.members]))
            last = None
        elif _joins_previous(n, last, readers) or _separable(n, last, readers):
            groups[-1][1].append(n)
            last = None
        else:
            groups.append((None, [n]))
            last = n
    return groups


def _fork_cells(fork: Fork, members, nodes, path: str, only_max: bool) -> dict:
    """What the row of a fork says: its type, stride, and the width of each branch's layers."""
    stride = max((s for n in members for s in n.stride), default=1)
    cells: dict = {
        "type": _label(fork, nodes, path),
        "patch size/stride": f"stride {stride}" if stride > 1 else "",
    }
    if fork.squeeze:
        cells["#1x1 squeeze"] = fork.squeeze.width
    for key, value in (cell for b in fork.branches for cell in _branch(b, only_max)):
        name, k = key, 2
        while name in cells:
            name, k = f"{key} ({k})", k + 1
        cells[name] = value
    return cells


def _cells(members: list[Node]) -> dict:
    """What the row of one layer says, or of two that the papers print as one."""
    first, end = members[0], members[-1]
    if len(members) == 1:
        return {"type": _plain(end), "patch size/stride": patch(end)}
    if first.groups > 1:
        return {"type": "separable convolution", "patch size/stride": patch(first), "depth": 1}
    plain = {"type": _plain(end), "patch size/stride": patch(end)}
    return plain | dict(_branch(Branch(tuple(members)), True))
