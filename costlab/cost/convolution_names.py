"""What a convolution is called where totals are by operator: "convolution 3x3, 32 groups"."""

from __future__ import annotations

from collections.abc import Sequence

from ..trace.record import Op, Trace
from .formulas import quantized


def convolution_name(trace: Trace, op: Op) -> str:
    """From a weight (c_out, c_in/groups, *kernel), or transposed (c_in, c_out/groups, *kernel)."""
    if op.name == "aten.conv_tbc":
        return f"1d convolution {trace.shapes(op)[1][0]}"
    weight = trace.shapes(op)[1]
    kernel, groups, transposed = weight[2:], op.attrs.get("groups", 1), _transposed(op)
    c_in = weight[0] if transposed else weight[1] * groups
    words = ["1d"] if len(kernel) == 1 else []
    words += ["transposed"] if transposed else []
    words += ["deformable"] if op.name == "torchvision.deform_conv2d" else []
    depthwise = 1 < groups == c_in
    words += ["depthwise"] if depthwise else []
    name = " ".join((*words, "convolution", "x".join(map(str, kernel))))
    if groups > 1 and not depthwise:
        name += f", {groups} groups"
    dilation = _dilation(op, len(kernel))
    return f"{name}, dilation {dilation}" if dilation else name


def _transposed(op: Op) -> bool:
    return bool(op.attrs.get("transposed")) or op.name in quantized.TRANSPOSED


def _dilation(op: Op, dimensions: int) -> str:
    """2, or 1x2 where it differs by dimension; "" for none."""
    found = op.attrs.get("dilation", 1)
    each: Sequence[int] = (found,) * dimensions if isinstance(found, int) else found
    if all(n == 1 for n in each):
        return ""
    return str(each[0]) if len(set(each)) == 1 else "x".join(map(str, each))
