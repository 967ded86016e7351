"""The dtypes that times are of, and the one that a trace ran in. Needs no torch."""

from __future__ import annotations

from collections import Counter

from ..cost import size_of
from ..trace import Trace

# bytes an element of a floating-point tensor of a model that runs in a dtype; the names are those
# of `costlab.measure.device.DTYPES`, and int8 for models quantized to 8 bits
WIDTHS = {"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2, "int8": 1}
_NAMES = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}
_INT8 = frozenset(("int8", "uint8", "qint8", "quint8"))


def dtype_of(trace: Trace) -> str:
    """The dtype that a trace ran in: as it was measured, otherwise that of most elements of its
    params, or of its inputs and outputs where it has none. One that no profile has goes by its name
    in torch, such as "float64"."""
    if trace.measured:
        return trace.measured.conditions["dtype"]
    tensors = [p.tensor for p in trace.params] or [*trace.inputs, *trace.outputs]
    elements: Counter[str] = Counter()
    for i in tensors:
        tensor = trace.tensors[i]
        if tensor.dtype in _INT8:
            elements["int8"] += tensor.numel
        elif tensor.dtype.startswith(("float", "bfloat", "complex")):
            elements[_NAMES.get(tensor.dtype, tensor.dtype)] += tensor.numel
    return elements.most_common(1)[0][0] if elements else "fp32"


def bytes_in(trace: Trace, index: int, dtype: str) -> int:
    """Bytes of a tensor where the model runs in a dtype: floating-point tensors take its width,
    integers and booleans what they have."""
    size = size_of(trace, index)
    own = _WIDTHS_OF.get(trace.tensors[index].dtype)
    return size if own is None else size // own * WIDTHS[dtype]


_WIDTHS_OF = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
