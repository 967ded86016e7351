"""Which modules the layers style opens where no rows are merged, for models that are nested
deeply: only what was opened is looked at again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from ...cost import cost_of
from .modules import ModuleTree, Path, only_joins

SHARE = 0.4  # of MACs or params: a module with more is opened
_ROWS = 2000  # no module is opened that would make more rows than this


@dataclass(frozen=True)
class _Run:
    """Operations of a module, and of all in it, that follow each other: those from `first` to
    before `end`.

    Attributes:
        share: the larger one of their shares of the MACs and the params.
        closed: whether it can be opened.
        is_row: False for what costs nothing, which belongs to what it follows.
    """

    path: Path
    first: int
    end: int
    share: float
    closed: bool
    is_row: bool


def opened_unmerged(tree: ModuleTree) -> frozenset[Path]:
    """The paths of the modules to open: always the most expensive one that is closed, as long as it
    holds most of the MACs or params and the rows can be read."""
    return frozenset(_Opening(tree).paths())


class _Opening:
    """Opens one module after the other."""

    def __init__(self, tree: ModuleTree):
        self._tree, ops = tree, tree.ops
        self._paths = [tuple(op.module.split(".")) for op in ops]
        self._macs_before = [0, *accumulate(cost_of(tree.trace, op).macs for op in ops)]
        self._with_params = [i for i, op in enumerate(ops) if op.params]
        self._macs, self._params = self._costs(0, len(ops))

    def paths(self) -> Iterator[Path]:
        """The paths, in the order in which they are opened."""
        yield ()
        runs = list(self._parts(_Run((), 0, len(self._paths), 1, True, True)))
        while True:
            closed = (run for run in runs if run.closed)
            largest = max(closed, key=lambda run: run.share, default=None)
            if largest is None or largest.share <= SHARE:
                return
            runs = list(self._with_open(runs, largest.path))
            if sum(run.is_row for run in runs[1:]) >= _ROWS:
                return
            yield largest.path

    def _with_open(self, runs: Sequence[_Run], path: Path) -> Iterator[_Run]:
        for run in runs:
            if run.closed and run.path == path:
                yield from self._parts(run)
            else:
                yield run

    def _parts(self, run: _Run) -> Iterator[_Run]:
        """A run as those of the modules inside it, and of the module's own operations."""
        level = len(run.path)

        def name(i: int) -> str | None:
            path = self._paths[i]
            return path[level] if len(path) > level else None

        for inner, places in groupby(range(run.first, run.end), name):
            first, *more = places
            path = run.path if inner is None else (*run.path, inner)
            yield self._run(path, first, first + len(more) + 1, inner is not None)

    def _run(self, path: Path, first: int, end: int, inside: bool) -> _Run:
        macs, params = self._costs(first, end)
        share = max(macs / (self._macs or 1), params / (self._params or 1))
        layers = self._tree.layers(self._tree.ops[first:end]) if not macs and not params else ()
        is_row = bool(macs or params) or not only_joins(layers)
        return _Run(path, first, end, share, inside and path in self._tree.containers, is_row)

    def _costs(self, first: int, end: int) -> tuple[int, int]:
        """MACs and params of some operations."""
        places = self._with_params
        own = places[bisect_left(places, first) : bisect_left(places, end)]
        used = {p for i in own for p in self._tree.ops[i].params}
        sizes = self._tree.trace.params
        macs = self._macs_before[end] - self._macs_before[first]
        return macs, sum(sizes[p].numel for p in used)
