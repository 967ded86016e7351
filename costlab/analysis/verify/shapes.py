"""What a trace has of the products that a peer may miss, from shapes alone where they are simple.

The formula that is checked must not explain itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from ...cost import cost_of
from ...trace import Op, Trace

RECURRENT = ("LSTM", "GRU", "RNN")  # module types

_Shape = tuple[int, ...]
# output shape, then input shapes -> MACs
_OF_TWO: dict[str, Callable[[_Shape, _Shape, _Shape], int]] = {
    "aten.mv": lambda out, a, b: prod(a),
    "aten.dot": lambda out, a, b: prod(a),
    "aten.vdot": lambda out, a, b: prod(a),
    "aten.ger": lambda out, a, b: prod(out),
}
_OF_THREE: dict[str, Callable[[_Shape, _Shape, _Shape, _Shape], int]] = {
    "aten.addmv": lambda out, c, a, b: prod(a),
    "aten.addr": lambda out, c, a, b: prod(out),
    "aten.baddbmm": lambda out, c, a, b: prod(out) * a[-1],
    "aten.addbmm": lambda out, c, a, b: prod(out) * a[0] * a[-1],
    "aten._trilinear": lambda out, a, w, b: a[0] * (prod(w) + w[0] * w[1]),
}
_BY_SHAPE: dict[str, Callable[..., int]] = {**_OF_TWO, **_OF_THREE}
# fvcore's name of an operation that it has no formula for -> the product that costlab records
UNCOUNTED = {
    f"aten::{'bilinear' if name == 'aten._trilinear' else name.removeprefix('aten.')}": name
    for name in _BY_SHAPE
}


def macs_by_shape(trace: Trace, op: Op) -> int:
    """MACs of an operation that a peer does not know: from its shapes where they are simple,
    otherwise by its formula."""
    rule = _BY_SHAPE.get(op.name) if op.of is None else None
    if rule is None:
        return cost_of(trace, op).macs
    return rule(trace.tensors[op.outputs[0]].shape, *trace.shapes(op))


@dataclass(frozen=True)
class _Product:
    """A batched product of `macs` that a tensor comes from; `softmax`: a softmax came after it."""

    macs: int
    softmax: bool = False


def attention_macs(trace: Trace) -> dict[str, int]:
    """MACs of query-key and weight-value products by module path.

    They are two batched products with a softmax between."""
    source_of: dict[int, _Product] = {}
    found: dict[str, int] = {}
    for op in trace.ops:
        source = next((source_of[i] for i in op.inputs if i in source_of), None)
        if op.name in ("aten.bmm", "aten.baddbmm"):
            macs = cost_of(trace, op).macs
            if source and source.softmax:
                found[op.module] = found.get(op.module, 0) + source.macs + macs
                source = None
            else:
                source = _Product(macs)
        elif op.name in ("aten._softmax", "aten._safe_softmax"):
            source = _Product(source.macs, True) if source and not source.softmax else None
        if source:
            source_of.update(dict.fromkeys(op.outputs, source))
    return found


def recurrent_macs(trace: Trace) -> int:
    """MACs of recurrent layers."""
    return sum(cost_of(trace, op).macs for op in trace.ops if op.module_type in RECURRENT)


def complex_macs(trace: Trace) -> int:
    """MACs of operations on complex numbers, four a complex multiply-add."""
    return sum(
        cost_of(trace, op).macs
        for op in trace.ops
        if op.outputs and trace.tensors[op.outputs[0]].dtype.startswith("complex")
    )


def grouped_gradient_macs(trace: Trace) -> int:
    """MACs that grouped convolutions' weight gradients would have more, were there no groups."""
    extra = 0
    for op in trace.backward:
        groups = op.attrs.get("groups", 1)
        if op.name == "aten.convolution_backward" and groups > 1 and op.attrs["output_mask"][1]:
            grad, data, weight = trace.shapes(op)[:3]
            places = data if op.attrs.get("transposed") else grad
            extra += prod(places) * prod(weight[1:]) * (groups - 1)
    return extra
