"""The paper style: GoogLeNet's Table 1, with the columns that later Inception papers add, from the
graph alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from math import floor, log2, prod

from ...graph import Branch, Fork, Node, consumers, forks, longest
from ...trace.record import Trace
from ..conventions import has_printed_table
from ..groups import Group, common_path, patch
from .branches import NAMED, branch_cells
from .modules import Depth

_TYPES = {"conv": "convolution", "transposed conv": "transposed convolution"}


def _labels(found: Sequence[Fork], nodes: Sequence[Node]) -> dict[int, str]:
    """What each fork is called, by its end: "inception (3a)" is the first at an eighth of the
    input's grid, as the papers number their modules. Structure alone decides."""
    position: Counter[int] = Counter()
    labels: dict[int, str] = {}
    for fork in found:
        stage = _halvings(nodes[0].out_shape, nodes[fork.root].out_shape)
        labels[fork.end] = f"{_kind(fork)} ({stage}{_letters(position[stage])})"
        position[stage] += 1
    return labels


def _kind(fork: Fork) -> str:
    """ "fire": one 1x1 convolution feeds every branch (SqueezeNet, Figure 1); "inception": three
    branches or more that meet in a concatenation; "fork": any other."""
    if fork.squeeze:
        return "fire"
    return "inception" if len(fork.branches) > 2 else "fork"


def _halvings(whole: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """How often the input's grid was halved, to the nearest; 0 where there is no grid."""
    grids = [s[2:] for s in (whole, shape)]
    if not all(grids) or not all(map(prod, grids)):
        return 0
    return max(0, floor(log2(grids[0][0] / grids[1][0]) + 0.5))


def _letters(position: int) -> str:
    """a, b, ... z, aa, ab: what a spreadsheet calls its columns."""
    before, last = divmod(position, 26)
    return (_letters(before - 1) if before else "") + chr(ord("a") + last)


def _plain(node: Node) -> str:
    if node.op and node.kind == "dropout" and "p" in node.op.attrs:
        return f"dropout ({100 * node.op.attrs['p']:.0f}%)"
    return _TYPES.get(node.kind, node.kind)


def _joins_previous(node: Node, last: Node | None, readers: list[int]) -> bool:
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


def _separable(node: Node, last: Node | None, readers: list[int]) -> bool:
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


def typical(trace: Trace, nodes: Sequence[Node]) -> set[int]:
    """Layers of forks whose branches the papers' columns can name."""
    found = forks(nodes)
    if any(len(b.nodes) > NAMED for f in found for b in f.branches):
        return set()
    return {m for f in found for m in f.members}


def rows(
    trace: Trace, nodes: Sequence[Node], depth: Depth = None, merge: bool = True
) -> Iterator[Group]:
    """Groups in execution order: a fork is one row, then each other layer. `depth` and `merge` are
    those of the other styles, and change nothing here."""
    found = forks(nodes)
    only_max, labels = _only_max(found), _labels(found, nodes)
    named = not has_printed_table(trace)  # a paper's table has no module paths
    for fork, members in _in_rows(nodes, found):
        end = members[-1]
        path = end.op.module if end.op else ""
        if fork:
            path = common_path(n.op for n in members if n.op)
        cells = {"output size": end.layout.size, "depth": longest(members)}
        cells |= {"name": path} if named else {}
        cells |= _fork_cells(fork, members, labels, only_max) if fork else _cells(members)
        yield Group(path, cells, members, [op for n in members for op in n.ops])


def _only_max(found: tuple[Fork, ...]) -> bool:
    """Whether all pools of branches are max pools before a projection, so that no cell says so."""
    first = [(b.chain[0].kind, len(b.chain)) for f in found for b in f.branches if b.chain]
    return all(kind != "avg pool" and (kind, n) != ("max pool", 1) for kind, n in first)


def _in_rows(
    nodes: Sequence[Node], found: tuple[Fork, ...]
) -> list[tuple[Fork | None, list[Node]]]:
    """(the fork or None, layers) of each row."""
    owner = {m: f for f in found for m in f.members}
    readers = [len(r) for r in consumers(nodes)]
    groups: list[tuple[Fork | None, list[Node]]] = []
    if nodes[0].ops:
        groups.append((None, [nodes[0]]))
    done: set[int] = set()
    last: Node | None = None
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


def _fork_cells(
    fork: Fork, members: list[Node], labels: Mapping[int, str], only_max: bool
) -> dict[str, Any]:
    """What the row of a fork says: its type, stride, and the width of each branch's layers."""
    stride = max((s for n in members for s in n.stride), default=1)
    cells: dict[str, Any] = {
        "type": labels[fork.end],
        "patch size/stride": f"stride {stride}" if stride > 1 else "",
    }
    if fork.squeeze:
        cells["#1x1 squeeze"] = fork.squeeze.width
    for key, value in (cell for b in fork.branches for cell in branch_cells(b, only_max)):
        name, k = key, 2
        while name in cells:
            name, k = f"{key} ({k})", k + 1
        cells[name] = value
    return cells


def _cells(members: list[Node]) -> dict[str, Any]:
    """What the row of one layer says, or of two that the papers print as one."""
    first, end = members[0], members[-1]
    if len(members) == 1:
        return {"type": _plain(end), "patch size/stride": patch(end)}
    if first.groups > 1:
        return {"type": "separable convolution", "patch size/stride": patch(first), "depth": 1}
    plain = {"type": _plain(end), "patch size/stride": patch(end)}
    return plain | dict(branch_cells(Branch(tuple(members)), True))
