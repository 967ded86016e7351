"""The operations of a trace by module path, cut where a style says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from ...graph import WEIGHTED, Node, layouts, longest
from ...trace.record import Op, Trace
from ..groups import Group, patch

Path = tuple[str, ...]  # a module path, split at its dots; () is the model itself
# where module paths are cut: at a length, or at the modules that are not opened; None: chosen
Depth = int | frozenset[Path] | None


def path_of(op: Op) -> Path:
    """The path of the module that runs an operation."""
    return tuple(op.module.split(".")) if op.module else ()


def _above(paths: Iterable[Path]) -> set[Path]:
    """The paths of all modules that modules of these paths are in."""
    found: set[Path] = {()}
    for path in paths:
        above = path[:-1]
        while above not in found:
            found.add(above)
            above = above[:-1]
    return found


def only_joins(layers: Iterable[Node]) -> bool:
    """Whether layers only bring others together."""
    return all(n.kind in ("join", "cat") for n in layers)


class ModuleTree:
    """The modules of a trace and what runs in them.

    Attributes:
        containers: paths of the modules with modules inside.
    """

    def __init__(self, trace: Trace, nodes: Sequence[Node]):
        self.trace = trace
        order = {id(op): i for i, op in enumerate(trace.ops)}
        self.ops = sorted((op for n in nodes for op in n.ops), key=lambda op: order[id(op)])
        self._nodes = nodes
        self._layer = {id(n.op): n for n in nodes if n.op}
        self._readers: defaultdict[int, set[int]] = defaultdict(set)  # operations, by id
        for op in self.ops:
            for tensor in op.inputs:
                self._readers[tensor].add(id(op))
        self._given = {o: i for i, o in reversed(list(enumerate(trace.outputs)))}
        self._paths = {op.module: path_of(op) for op in self.ops}
        self.containers = _above(self._paths.values())

    def cut(self, key: Callable[[Path], Path], *, runs: bool) -> list[tuple[str, list[Op]]]:
        """(path, operations) of each group of operations with one `key`, in the order of their
        first operation; with `runs` a module that is called again after others is a group of its
        own."""
        found: dict[tuple[str, int], list[Op]] = {}
        times: dict[str, int] = {}
        last = None
        shown = {module: ".".join(key(path)) for module, path in self._paths.items()}
        for op in self.ops:
            path = shown[op.module]
            if runs and path != last:
                times[path] = times.get(path, 0) + 1
            last = path
            found.setdefault((path, times.get(path, 0)), []).append(op)
        return [(path, ops) for (path, _), ops in found.items()]

    def can_open(self, paths: Iterable[Path], done: frozenset[Path]) -> bool:
        """Whether there are modules in one of these, and it is not among those that are open."""
        return any(path in self.containers and path not in done for path in paths)

    def layers(self, ops: Iterable[Op]) -> list[Node]:
        """The layers that operations are."""
        return [self._layer[id(op)] for op in ops if id(op) in self._layer]

    def group(self, path: str, ops: list[Op]) -> Group:
        """The row of some operations, at a module's path."""
        layers = self.layers(ops)
        named = [n for n in layers if n.kind in WEIGHTED or n.kernel]
        result = self._result(path, ops)
        cells = {
            "name": path or "(model)",
            "type": _type(path, ops, named),
            "patch size/stride": patch(named[0]) if len(named) == 1 else "",
            "output size": layouts(self.trace)[result].size if result is not None else "",
            "depth": self.depth(layers),
        }
        return Group(path, cells, layers, ops)

    def _result(self, path: str, ops: Sequence[Op]) -> int | None:
        """The tensor that operations at a module's path give to others: of a module without parts
        that the network's outputs come from, its first output (that of an LSTM, not its states);
        otherwise the last one that something else reads."""
        results = {op.outputs[0]: None for op in ops if op.outputs}
        returned = sorted(results.keys() & self._given.keys(), key=self._given.__getitem__)
        if returned and all(op.module == path for op in ops):
            return returned[0]
        mine = {id(op) for op in ops}
        read = (o for o in reversed(results) if o in returned or self._readers[o] - mine)
        return next(read, next(reversed(results), None))

    def depth(self, layers: Iterable[Node]) -> int:
        """Layers on the longest way through `layers`, which may lead through others in between."""
        inside = sorted(layers, key=lambda n: n.index)
        if not inside:
            return 0
        first, last = inside[0].index, inside[-1].index
        if last - first + 1 == len(inside):
            return longest(inside)
        members = {n.index for n in inside}
        return longest(
            self._nodes[first : last + 1], lambda n: n.kind in WEIGHTED and n.index in members
        )


def _type(path: str, ops: list[Op], named: list[Node]) -> str:
    """The class of the module: its only layer's, or its own as the operations that it runs between
    its parts know it; "block" where no operation knows it."""
    if all(op.module == path for op in ops):
        return ops[0].module_type
    if len(named) == 1 and named[0].op:
        return named[0].op.module_type
    return next((op.module_type for op in ops if op.module == path), "block")
