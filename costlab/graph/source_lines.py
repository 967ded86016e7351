"""Which line of the model's code stands for a group of operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..trace.cached import once_per_trace
from ..trace.record import Op, Source, Trace


def source_line(trace: Trace, ops: Iterable[Op]) -> Source | None:
    """The outermost line that runs operations of the group alone, such as the call of a block;
    where each line runs others too, as in a loop over blocks, the line of the first operation. None
    where no line is known."""
    sources = [op.source for op in ops if op.source is not None]
    if not sources:
        return None
    everywhere, here = _runs(trace), _count(sources)
    own = (line for line in sources[0].stack if here[id(line)] == everywhere[id(line)])
    return next(own, sources[0])


@once_per_trace
def _runs(trace: Trace) -> Counter[int]:
    """How many operations of the forward pass each line runs, by the identity of its record."""
    return _count(op.source for op in trace.forward if op.source is not None)


def _count(sources: Iterable[Source]) -> Counter[int]:
    return Counter(id(line) for source in sources for line in source.stack)
