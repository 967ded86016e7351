"""Bytes that an operation reads and writes."""

from __future__ import annotations

from ..trace.record import Op, Trace
from .registry import aten
from .sizes import size_of

# operations that read as much of their first input as they put out
GATHERS = frozenset(
    aten("embedding index _unsafe_index index_select gather take masked_select")
    + ("quantized.embedding_byte",)
)
_BAGS = frozenset(aten("_embedding_bag _embedding_bag_forward_only"))
# further outputs of these are bookkeeping that differs by device
_ONE_OUTPUT = _BAGS | frozenset(aten("native_batch_norm _native_batch_norm_legit_no_training"))


def main_outputs(op: Op) -> tuple[int, ...]:
    """The outputs that carry the result."""
    return op.outputs[:1] if op.name in _ONE_OUTPUT else op.outputs


def bytes_moved(trace: Trace, op: Op) -> tuple[int, int]:
    """Bytes read, each input once, and bytes written."""
    inputs = tuple(dict.fromkeys(op.inputs))
    read = sum(size_of(trace, i) for i in inputs)
    written = sum(size_of(trace, i) for i in main_outputs(op))
    if op.name in GATHERS and inputs:
        read -= max(0, size_of(trace, inputs[0]) - written)
    elif op.name in _BAGS:
        read += _looked_up(trace, op) - size_of(trace, op.inputs[0])
    return read, written


def _looked_up(trace: Trace, op: Op) -> int:
    """Bytes of the rows that an embedding bag looks up, a row as often as it is asked for."""
    table, ids = op.inputs[:2]
    rows = max(1, trace.tensors[table].shape[0])
    return trace.tensors[ids].numel * size_of(trace, table) // rows
