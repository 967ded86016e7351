"""The bytes that a device must at least read from its memory and write to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..cost import VIEWS, cost_of, size_of
from ..cost.registry import aten
from ..trace import Trace
from .dtypes import bytes_in

_SOFTMAX = frozenset(aten("_softmax _safe_softmax softmax"))
# what attention does to its scores on their way to the softmax and from it
_POINTWISE = VIEWS | frozenset(
    aten(
        "add add_ sub mul mul_ div div_ tanh masked_fill masked_fill_ where _to_copy clone "
        "native_dropout"
    )
)


@dataclass(frozen=True)
class Traffic:
    """Bytes between a device and its memory, at least: `ops` of each operation, and `given` of all
    that the model does not make itself: params, buffers and inputs."""

    ops: tuple[float, ...]
    given: float


@dataclass(frozen=True)
class _Bytes:
    """Bytes of one operation: `given` that it is the first to read, `made` by earlier ones, and
    `written`."""

    given: float = 0.0
    made: float = 0.0
    written: float = 0.0


def traffic(trace: Trace, dtype: str, cache: float) -> Traffic:
    """The traffic of a trace in a dtype, its operations run one after the other on a device with a
    cache of so many bytes.

    What the model does not make is read once; of all of it together, no more than the cache holds
    can be there from the call before. Of what operations before have made, one can find as much in
    the cache as that holds, and it can leave as much of its outputs there. The scores of attention
    are not counted, because fused kernels never write them."""
    found = tuple(_bytes(trace, dtype))
    given = sum(b.given for b in found)
    read = max(0.0, 1 - cache / given) if given else 0.0
    ops = (read * b.given + max(0.0, b.made - cache) + max(0.0, b.written - cache) for b in found)
    return Traffic(tuple(ops), given)


def _bytes(trace: Trace, dtype: str) -> Iterator[_Bytes]:
    """The bytes of each operation, in order."""
    base, scores = _bases(trace), _scores(trace)
    made = {i for op in trace.ops if op.name not in VIEWS for i in op.outputs if i not in op.inputs}
    seen: set[int] = set()

    def size(tensors: Iterable[int]) -> int:
        return sum(bytes_in(trace, i, dtype) for i in tensors if i not in scores)

    for op in trace.ops:
        cost = cost_of(trace, op)
        if not (cost.read or cost.written):
            yield _Bytes()
            continue
        inputs = tuple(dict.fromkeys(op.inputs))
        part = _part(trace, inputs, cost.read)
        own = [i for i in inputs if base.get(i, i) in made]
        fresh = [i for i in inputs if base.get(i, i) not in made and base.get(i, i) not in seen]
        seen.update(base.get(i, i) for i in fresh)
        written = _part(trace, op.outputs, cost.written) * size(op.outputs)
        yield _Bytes(part * size(fresh), part * size(own), written)


def _part(trace: Trace, tensors: tuple[int, ...], moved: int) -> float:
    """The part of an operation's tensors that it moves, 0 to 1: lookups read some rows alone."""
    whole = sum(size_of(trace, i) for i in dict.fromkeys(tensors))
    return moved / whole if whole else 0.0


def _bases(trace: Trace) -> dict[int, int]:
    """View -> the tensor whose memory it shows."""
    found: dict[int, int] = {}
    for op in trace.ops:
        if op.name in VIEWS and op.inputs:
            first = found.get(op.inputs[0], op.inputs[0])
            found.update((i, first) for i in op.outputs if i != first)
    return found


def _scores(trace: Trace) -> set[int]:
    """The tensors of attention's scores: a softmax takes or gives them, with nothing but pointwise
    operations between."""
    sizes = {i: trace.tensors[i].numel for i in range(len(trace.tensors))}
    before = {i for op in trace.ops if op.name in _SOFTMAX for i in op.inputs[:1]}
    after = {i for op in trace.ops if op.name in _SOFTMAX for i in op.outputs[:1]}
    for op in reversed(trace.ops):
        if op.name in _POINTWISE and not before.isdisjoint(op.outputs):
            before.update(i for i in op.inputs if sizes[i] == sizes[op.outputs[0]])
    for op in trace.ops:
        if op.name in _POINTWISE and not after.isdisjoint(op.inputs):
            after.update(i for i in op.outputs if any(sizes[i] == sizes[j] for j in op.inputs))
    return before | after
