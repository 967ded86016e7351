"""Sizes of tensors in bytes, and which operations make no new memory."""

from __future__ import annotations

from ..trace.record import Trace
from .registry import aten

# bytes an element; what is not here takes one
_WIDTH = {
    "float64": 8,
    "int64": 8,
    "complex64": 8,
    "complex128": 16,
    "float32": 4,
    "int32": 4,
    "qint32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int16": 2,
    "uint64": 8,
    "uint32": 4,
    "uint16": 2,
    "complex32": 4,
}

# operations whose outputs are the memory of their first input
VIEWS = frozenset(
    (
        "costlab.dropout",
        "costlab.write",
        "onnx.data_dependent",
        *aten(
            "view _unsafe_view _reshape_alias alias t t_ transpose transpose_ permute expand slice "
            "select unsqueeze unsqueeze_ squeeze squeeze_ split split_with_sizes unbind chunk "
            "as_strided as_strided_ diagonal unfold view_as_real view_as_complex _conj"
        ),
    )
)


def size_of(trace: Trace, index: int) -> int:
    """Bytes of a tensor; of an expanded one, of the elements that are in memory."""
    t = trace.tensors[index]
    return (t.numel if t.distinct is None else t.distinct) * _WIDTH.get(t.dtype, 1)
