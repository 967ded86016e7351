"""Alike rows of the layers style shown once, with how many there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ...cost import total
from ...graph import Node
from ...trace.record import Trace
from ..groups import Group, span
from .modules import ModuleTree, Path

_RUN = 4  # alike layers of a sequence that are one row, at least
_SHOWN = ("type", "output size", "patch size/stride")  # cells that are the same in alike rows


class CountedGroup:
    """A group, the paths of the modules that it stands for, and its cost: `macs` multiply-adds,
    `params` elements."""

    def __init__(self, trace: Trace, group: Group, paths: list[Path]):
        cost = total(trace, group.ops)
        self.group, self.paths = group, paths
        self.macs, self.params = cost.macs, cost.params

    @property
    def alike(self) -> tuple[Any, ...]:
        """What alike rows have in common."""
        return (*(self.group.cells[key] for key in _SHOWN), self.macs, self.params)

    def absorb(self, other: Group) -> None:
        """Add layers and operations that cost nothing."""
        self.group.ops.extend(other.ops)
        self.group.nodes.extend(other.nodes)


def merged(tree: ModuleTree, rows: Iterable[CountedGroup]) -> list[CountedGroup]:
    """Rows that are alike and whose paths differ in the number of a block are one row; then so is
    each long run of alike layers in a sequence."""
    found: dict[tuple[object, ...], list[CountedGroup]] = {}
    for row in rows:
        found.setdefault((_pattern(tree, row.paths[0]), *row.alike), []).append(row)
    single = (same[0] if len(same) == 1 else _together(tree, same) for same in found.values())
    return list(_runs(tree, single))


def _pattern(tree: ModuleTree, path: Path) -> Path:
    """The path with numbers left out: they tell blocks apart. The last one of a layer in a sequence
    tells different layers apart, and stays."""
    end = len(path) if path in tree.containers else len(path) - 1
    return (*(re.sub(r"\d+", "*", name) for name in path[:end]), *path[end:])


def _runs(tree: ModuleTree, rows: Iterable[CountedGroup]) -> Iterator[CountedGroup]:
    """Rows, a long run of alike layers in a sequence as one."""
    runs: list[list[CountedGroup]] = []
    for row in rows:
        if runs and _continues(runs[-1][-1], row):
            runs[-1].append(row)
        else:
            runs.append([row])
    for run in runs:
        yield from [_together(tree, run)] if len(run) >= _RUN else run


def _continues(before: CountedGroup, row: CountedGroup) -> bool:
    """Whether two rows are alike layers of one module."""
    beside = before.paths[0][:-1] == row.paths[0][:-1]
    return len(row.paths) == 1 and beside and before.alike == row.alike


def _together(tree: ModuleTree, rows: list[CountedGroup]) -> CountedGroup:
    """One row for all."""
    first = rows[0].group
    nodes: list[Node] = [n for row in rows for n in row.group.nodes]
    cells = {
        **first.cells,
        "name": span([row.group.path for row in rows]),
        "times": len(rows),
        "depth": tree.depth(nodes),
    }
    ops = [op for row in rows for op in row.group.ops]
    paths = [path for row in rows for path in row.paths]
    return CountedGroup(tree.trace, Group(first.path, cells, nodes, ops), paths)
