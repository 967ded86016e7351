"""The layers style: one row a module, cut at a depth of the module tree, for any model."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from ...cost import total
from ...graph import Node
from ...trace.record import Op, Trace
from ..groups import Group, common_path
from .merging import CountedGroup, merged
from .modules import Depth, ModuleTree, Path, only_joins
from .opening import SHARE, opened_unmerged

_MERGED_ROWS = 40  # no module is opened that would make more rows than this


def rows(
    trace: Trace, nodes: Sequence[Node], depth: Depth = None, merge: bool = True
) -> list[Group]:
    """Groups by module path in the order of their first operation.

    Args:
        depth: where paths are cut: at a length, or at the modules that are not in a set. None opens
            every module that holds most of the MACs or params.
        merge: whether alike modules whose paths differ in a number are one row, `times`; where
            `depth` is a length, whether a module that is called again is no row of its own.
    """
    tree = ModuleTree(trace, nodes)
    if isinstance(depth, int):
        found = tree.cut(lambda path: path[:depth], runs=not merge)
        return [tree.group(path, ops) for path, ops in found]
    if depth is None:
        depth = _open(tree) if merge else opened_unmerged(tree)
    return [row.group for row in _rows(tree, depth, merge)]


def opened(trace: Trace, nodes: Sequence[Node]) -> frozenset[Path]:
    """The paths of the modules that the style opens when no depth is given and nothing is
    merged."""
    return opened_unmerged(ModuleTree(trace, nodes))


def modules_to(trace: Trace, nodes: Sequence[Node], depth: int) -> frozenset[Path]:
    """The paths of all modules with modules inside whose rows are at most `depth` names long."""
    containers = ModuleTree(trace, nodes).containers
    return frozenset(path for path in containers if len(path) < depth)


def _open(tree: ModuleTree) -> frozenset[Path]:
    """The modules to open where alike rows are merged: always the most expensive one that is
    closed, as long as it holds most of the MACs or params and the rows can be read."""
    whole = total(tree.trace, tree.ops)

    def share(row: CountedGroup) -> float:
        return max(row.macs / (whole.macs or 1), row.params / (whole.params or 1))

    done: frozenset[Path] = frozenset(((),))
    found = _rows(tree, done, merge=True)
    while True:
        candidates = (row for row in found if tree.can_open(row.paths, done))
        largest = max(candidates, key=share, default=None)
        if largest is None or share(largest) <= SHARE:
            return done
        more = done.union(largest.paths, _wrapped(largest))
        found = _rows(tree, more, merge=True)
        if len(found) > _MERGED_ROWS:
            return done
        done = more


def _wrapped(row: CountedGroup) -> list[Path]:
    """The modules that a row's module does nothing but wrap, one in the other: to open one of them
    alone gives the same row again."""
    if len(row.paths) > 1:
        return []
    inner = tuple(common_path(row.group.ops).split("."))
    return [inner[:n] for n in range(len(row.paths[0]) + 1, len(inner))]


def _rows(tree: ModuleTree, opened: frozenset[Path], merge: bool) -> list[CountedGroup]:
    """The rows with some modules opened."""

    def key(path: Path) -> Path:
        """The first module on the way to a path that is not open: what is in one is not either."""
        open_to = bisect_left(range(1, len(path)), True, key=lambda n: path[:n] not in opened)
        return path[: open_to + 1]

    found: list[CountedGroup] = []
    for path, ops in tree.cut(key, runs=not merge):
        row = _counted(tree, path, ops, merge)
        if found and _costs_nothing(row):
            found[-1].absorb(row.group)  # activations and additions belong to what they follow
        else:
            found.append(row)
    return merged(tree, found) if merge else found


def _counted(tree: ModuleTree, path: str, ops: list[Op], merge: bool) -> CountedGroup:
    # what runs of a container between its parts is named after the module that runs it
    shown = path if merge or not path else common_path(ops)
    return CountedGroup(tree.trace, tree.group(shown, ops), [tuple(path.split("."))])


def _costs_nothing(row: CountedGroup) -> bool:
    return not row.macs and not row.params and only_joins(row.group.nodes)
