"""Loops that a model runs in Python: the same operations with the same params again and again, each
step with what the one before it left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...trace.record import Op, Trace

_USES = 4  # of one weight in one step, at most


@dataclass(frozen=True)
class Loop:
    """Operations of the forward pass that repeat, from the place `start` to before `end`; `period`:
    how many are one step. The last step may be cut short."""

    trace: Trace
    start: int
    period: int
    end: int

    def step(self, number: int) -> tuple[Op, ...]:
        """The operations of a step, counted from 0."""
        first = self.start + number * self.period
        return self.trace.forward[first : min(first + self.period, self.end)]

    def times(self, position: int) -> int:
        """How often the operation at a position of the step runs."""
        return -(-(self.end - self.start - position) // self.period)

    def places(self) -> Iterator[tuple[Op, int, int]]:
        """Each operation with its step and its position there."""
        for i, op in enumerate(self.trace.forward[self.start : self.end]):
            yield op, *divmod(i, self.period)

    def carries_over(self, tensor: int, number: int) -> bool:
        """Whether another step than this one made a tensor."""
        return self._step_of.get(tensor, number) != number

    @cached_property
    def _step_of(self) -> dict[int, int]:
        """The step that made each tensor."""
        return {o: number for op, number, _ in self.places() for o in op.outputs}

    @property
    def carries(self) -> bool:
        """Whether a step reads what the one before it made."""
        made = {o for op in self.step(0) for o in op.outputs}
        return any(not made.isdisjoint(op.inputs) for op in self.step(1))

    @property
    def takes_input(self) -> bool:
        """Whether each step reads something else from outside: another tensor, or another part of
        the same one."""
        first, second = (self._from_outside(op for op in self.step(i)) for i in (0, 1))
        return any(a != b for a, b in zip(first, second, strict=False) if a and b)

    def _from_outside(self, ops: Iterator[Op]) -> list[object]:
        """For each operation of a step that reads nothing but tensors from outside the loop, what
        it reads and its arguments; None for the others."""
        outside = (
            op if self._step_of.keys().isdisjoint(op.inputs) and op.inputs else None for op in ops
        )
        return [op and (op.inputs, op.attrs) for op in outside]


def loops(trace: Trace) -> tuple[Loop, ...]:
    """The runs of repeated steps that carry something from step to step, in order."""
    return tuple(_Search(trace).found())


class _Search:
    """Looks for the next use of each weight, which is a step further on."""

    def __init__(self, trace: Trace):
        self.trace = trace
        numbers: dict[object, int] = {}
        self.keys = [numbers.setdefault(self._key(op), len(numbers)) for op in trace.forward]
        self.again = _next_places(self.keys)

    def _key(self, op: Op) -> object:
        """What an operation has in common with itself in another step."""
        shape = self.trace.tensors[op.outputs[0]].shape if op.params and op.outputs else None
        return op.name, op.module, op.params, shape

    def found(self) -> Iterator[Loop]:
        """The loops, none inside another."""
        at = low = 0
        while at < len(self.keys):
            loop = self._from(at, low) if self.trace.forward[at].params else None
            if loop:
                yield loop
                at = low = loop.end
            else:
                at += 1

    def _from(self, at: int, low: int) -> Loop | None:
        """A loop in which the weight at a place is used first; it begins no earlier than `low`."""
        later = at
        for _ in range(_USES):
            later = self.again[later]
            if later < 0:
                return None
            loop = self._of_period(at, later - at, low)
            if loop and loop.carries:
                return loop
        return None

    def _of_period(self, at: int, period: int, low: int) -> Loop | None:
        """The run of steps of so many operations around a place, of at least two."""
        keys = self.keys
        start, end = at, at + period
        while start > low and keys[start - 1] == keys[start - 1 + period]:
            start -= 1
        while end < len(keys) and keys[end] == keys[end - period]:
            end += 1
        return Loop(self.trace, start, period, end) if end - start >= 2 * period else None


def _next_places(keys: Sequence[int]) -> list[int]:
    """For each place the next one with the same key, -1 where there is none."""
    found, later = [-1] * len(keys), dict[int, int]()
    for i in range(len(keys) - 1, -1, -1):
        found[i] = later.get(keys[i], -1)
        later[keys[i]] = i
    return found
