"""Quantized operators, computed on the values that their integers stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor

from ._attributes import FLOAT, INT
from ._operators import Node, operator
from ._products import convolution, gemm, matmul
from ._reductions import average_pool


def _along(parameter: Tensor, x: Tensor, axis: int) -> Tensor:
    """A scale or zero point of one value a channel, shaped to broadcast along `axis`."""
    if parameter.numel() == 1:
        return parameter
    shape = [1] * x.dim()
    shape[axis] = -1
    return parameter.reshape(shape)


def real(x: Tensor, scale: Tensor, zero: Tensor | None = None, axis: int = 1) -> Tensor:
    """What quantized values stand for: (x - zero point) x scale."""
    axis %= max(1, x.dim())
    out = x.to(scale.dtype)
    if zero is not None:
        out = out - _along(zero, x, axis).to(scale.dtype)
    return out * _along(scale, x, axis)


def quantized(x: Tensor, scale: Tensor, zero: Tensor | None = None, axis: int = 1) -> Tensor:
    """x / scale + zero point, rounded and kept within the range of the integers."""
    axis %= max(1, x.dim())
    kind = torch.uint8 if zero is None else zero.dtype
    out = torch.round(x / _along(scale, x, axis))
    if zero is not None:
        out = out + _along(zero, x, axis).to(out.dtype)
    if kind.is_floating_point:
        return out.to(kind)
    limits = torch.iinfo(kind)
    return torch.clamp(out, limits.min, limits.max).to(kind)


@operator("QuantizeLinear", "com.microsoft.QuantizeLinear")
def quantize(node: Node, x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
    return quantized(x, scale, zero, node.get("axis", INT, 1))


@operator("DequantizeLinear", "com.microsoft.DequantizeLinear", weights=(0,))
def dequantize(node: Node, x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
    return real(x, scale, zero, node.get("axis", INT, 1))


@operator("DynamicQuantizeLinear")
def dynamic_quantize(node: Node, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    low, high = torch.clamp(x.amin(), max=0), torch.clamp(x.amax(), min=0)
    scale = (high - low) / 255
    zero = torch.clamp(torch.round(-low / scale), 0, 255).to(torch.uint8)
    return quantized(x, scale, zero), scale, zero


def _of_integers(node: Node) -> Node:
    return replace(node, integer=True)


def _shifted(x: Tensor, zero: Tensor | None, axis: int) -> Tensor:
    x = x.to(torch.float32)
    return x if zero is None else x - _along(zero, x, axis).to(torch.float32)


@operator("MatMulInteger", weights=(1,))
def matmul_integer(
    node: Node, a: Tensor, b: Tensor, a_zero: Tensor | None = None, b_zero: Tensor | None = None
) -> Tensor:
    a, b = _shifted(a, a_zero, -2), _shifted(b, b_zero, -1)
    return matmul(_of_integers(node), a, b).to(torch.int32)


@operator("ConvInteger", weights=(1,))
def convolution_integer(
    node: Node, x: Tensor, w: Tensor, x_zero: Tensor | None = None, w_zero: Tensor | None = None
) -> Tensor:
    x, w = _shifted(x, x_zero, 1), _shifted(w, w_zero, 0)
    return convolution(_of_integers(node), x, w).to(torch.int32)


@operator("QLinearConv", weights=(3, 8))
def quantized_convolution(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    x: Tensor,
    x_scale: Tensor,
    x_zero: Tensor | None,
    w: Tensor,
    w_scale: Tensor,
    w_zero: Tensor | None,
    y_scale: Tensor,
    y_zero: Tensor | None,
    bias: Tensor | None = None,
) -> Tensor:
    w = real(w, w_scale, w_zero, 0)
    b = None if bias is None else bias * (x_scale * w_scale)
    out = convolution(_of_integers(node), real(x, x_scale, x_zero), w, b)
    return quantized(out, y_scale, y_zero)


@operator("QLinearMatMul", weights=(3,))
def quantized_matmul(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    a: Tensor,
    a_scale: Tensor,
    a_zero: Tensor | None,
    b: Tensor,
    b_scale: Tensor,
    b_zero: Tensor | None,
    y_scale: Tensor,
    y_zero: Tensor | None,
) -> Tensor:
    a, b = real(a, a_scale, a_zero, -2), real(b, b_scale, b_zero, -1)
    out = matmul(_of_integers(node), a, b)
    return quantized(out, y_scale, y_zero, -1)


@operator("com.microsoft.QGemm", weights=(3, 6))
def quantized_gemm(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    a: Tensor,
    a_scale: Tensor,
    a_zero: Tensor | None,
    b: Tensor,
    b_scale: Tensor,
    b_zero: Tensor | None,
    c: Tensor | None = None,
    y_scale: Tensor | None = None,
    y_zero: Tensor | None = None,
) -> Tensor:
    """The bias is int32 in steps of both scales; without a scale of the output that is float."""
    channels = 0 if node.get("transB", INT, 0) else 1
    c = None if c is None else c * (a_scale * b_scale)
    out = gemm(_of_integers(node), real(a, a_scale, a_zero), real(b, b_scale, b_zero, channels), c)
    return out if y_scale is None else quantized(out, y_scale, y_zero)


@operator("com.microsoft.MatMulIntegerToFloat", weights=(1, 6))
def integer_matmul_to_float(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    a: Tensor,
    b: Tensor,
    a_scale: Tensor,
    b_scale: Tensor,
    a_zero: Tensor | None = None,
    b_zero: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    out = matmul(_of_integers(node), real(a, a_scale, a_zero, -2), real(b, b_scale, b_zero, -1))
    return out if bias is None else out + bias


@operator("com.microsoft.DynamicQuantizeMatMul", weights=(1, 4))
def dynamic_quantize_matmul(
    node: Node,
    x: Tensor,
    b: Tensor,
    b_scale: Tensor,
    b_zero: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    a = real(*dynamic_quantize(node, x))
    out = matmul(_of_integers(node), a, real(b, b_scale, b_zero, -1))
    return out if bias is None else out + bias


@operator("com.microsoft.QLinearAdd")
def quantized_add(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    a: Tensor,
    a_scale: Tensor,
    a_zero: Tensor | None,
    b: Tensor,
    b_scale: Tensor,
    b_zero: Tensor | None,
    y_scale: Tensor,
    y_zero: Tensor | None,
) -> Tensor:
    return quantized(real(a, a_scale, a_zero) + real(b, b_scale, b_zero), y_scale, y_zero)


@operator("com.microsoft.QLinearMul")
def quantized_mul(  # noqa: PLR0917  (the operands of ONNX)
    node: Node,
    a: Tensor,
    a_scale: Tensor,
    a_zero: Tensor | None,
    b: Tensor,
    b_scale: Tensor,
    b_zero: Tensor | None,
    y_scale: Tensor,
    y_zero: Tensor | None,
) -> Tensor:
    return quantized(real(a, a_scale, a_zero) * real(b, b_scale, b_zero), y_scale, y_zero)


def _sigmoid(node: Node, x: Tensor) -> Tensor:
    return torch.sigmoid(x)


def _leaky_relu(node: Node, x: Tensor) -> Tensor:
    return F.leaky_relu(x, node.get("alpha", FLOAT, 0.01))


def _global_average_pool(node: Node, x: Tensor) -> Tensor:
    return x.mean(tuple(range(2, x.dim())), keepdim=True)


_OF_ONE = {
    "QLinearSigmoid": _sigmoid,
    "QLinearLeakyRelu": _leaky_relu,
    "QLinearGlobalAveragePool": _global_average_pool,
    "QLinearAveragePool": average_pool,
}


def _of_one(compute: Callable[[Node, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An operator on one quantized value, whose channels are second."""

    def run(
        node: Node,
        x: Tensor,
        x_scale: Tensor,
        x_zero: Tensor | None,
        y_scale: Tensor,
        y_zero: Tensor | None = None,
    ) -> Tensor:
        if node.get("channels_last", INT, 0):
            raise ValueError(f"{node.operator} with channels_last has no mapping")
        return quantized(compute(node, real(x, x_scale, x_zero)), y_scale, y_zero)

    return run


for _name, _compute in _OF_ONE.items():
    operator(f"com.microsoft.{_name}")(_of_one(_compute))


@operator("com.microsoft.QLinearConcat")
def quantized_concat(node: Node, y_scale: Tensor, y_zero: Tensor | None, *parts: Tensor) -> Tensor:
    """`parts`: value, scale and zero point of each."""
    triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    each = [real(x, scale, zero) for x, scale, zero in triples]
    return quantized(torch.cat(each, node.get("axis", INT)), y_scale, y_zero)
