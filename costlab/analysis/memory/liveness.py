"""Which memory each tensor is in, and when it is alive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from ...cost import VIEWS, size_of
from ...trace import Op, Trace
from .calls import module_calls
from .result import LiveTensor

LARGEST = 8  # tensors listed at the peak


def _alias(op: Op) -> bool:
    """Whether the outputs are memory that was there before."""
    return op.name in VIEWS or op.name.endswith("_") and bool(op.inputs)


class Liveness:
    """Which memory each tensor is in, and from which operation to which it is alive.

    `root`: tensor -> the tensor that its memory was made as; `born`: root -> the operation that
    makes it (-1: an input); `last`: root -> its last use; `kept`: root -> the same, or where the
    outermost module that was given it returns, if that is later."""

    def __init__(self, trace: Trace):
        self.trace = trace
        self.root = list(range(len(trace.tensors)))
        self.born = dict.fromkeys(trace.inputs, -1)
        for i, op in enumerate(trace.ops):
            for out in op.outputs:
                if _alias(op) and op.inputs:
                    self.root[out] = self.root[op.inputs[0]]
                else:
                    self.born.setdefault(out, i)
        self.params = self.roots(p.tensor for p in trace.params)
        self.last: dict[int, int] = {}
        self.kept: dict[int, int] = {}
        self._find_last_uses()
        self._keep_results()

    def roots(self, tensors: Iterable[int]) -> set[int]:
        """The tensors whose memory these are in."""
        return {self.root[i] for i in tensors}

    def _find_last_uses(self) -> None:
        spans = module_calls(self.trace.ops)
        for i, op in enumerate(self.trace.ops):
            for r in map(self.root.__getitem__, (*op.inputs, *op.outputs)):
                self.last[r] = i
                self.kept[r] = max(self.kept.get(r, i), i)
                if op.of is not None:
                    continue
                # the outermost module that was called with it ends last
                end = next((end for first, end in spans[i] if self.born.get(r, -1) < first), i)
                self.kept[r] = max(self.kept[r], end)

    def _keep_results(self) -> None:
        """Outputs, and gradients that no operation takes, are alive to the end."""
        backward = self.trace.backward
        taken = self.roots(i for op in backward if not _alias(op) for i in op.inputs)
        gradients = self.roots(t for op in backward for t in op.outputs) - taken
        for r in self.roots(self.trace.outputs) | gradients:
            self.last[r] = self.kept[r] = len(self.trace.ops) - 1

    def made(self) -> Iterator[tuple[int, int]]:
        """(root, the operation that makes it) of everything that the run makes."""
        return (
            (r, i)
            for r, i in self.born.items()
            if i >= 0 and r == self.root[r] and r not in self.params
        )

    def curve(self, until: dict[int, int]) -> list[int]:
        """Bytes alive while each operation runs, each tensor `until` then."""
        change = [0] * (len(self.trace.ops) + 1)
        for r, i in self.made():
            change[i] += size_of(self.trace, r)
            change[until.get(r, i) + 1] -= size_of(self.trace, r)
        return list(accumulate(change[:-1]))

    def largest(self, at: int) -> tuple[LiveTensor, ...]:
        """The largest tensors that are alive while an operation runs."""

        def size(r: int) -> int:
            return size_of(self.trace, r)

        alive = [r for r, i in self.made() if i <= at <= self.kept.get(r, i)]
        maker = {t: op for op in reversed(self.trace.ops) for t in op.outputs}
        return tuple(
            LiveTensor(
                maker[r].module,
                maker[r].name,
                self.trace.tensors[r].shape,
                size(r),
            )
            for r in sorted(alive, key=size, reverse=True)[:LARGEST]
        )

    def read_by(self, ops: Iterable[Op]) -> set[int]:
        """What operations read that the run did not make, params apart."""
        read = self.roots(i for op in ops for i in op.inputs)
        return {r for r in read if r not in self.born} - self.params
