"""Quantized operators, computed on the values that their integers stand for."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)

from ._operators import Node, operator
from ._products import convolution, gemm, matmul
from ._reductions import average_pool


def _along(parameter: torch.Tensor, x: torch.Tensor, axis: int) -> torch.Tensor:
    """A scale or zero point of one value a channel, shaped to broadcast along `axis`."""
    if parameter.numel() == 1:
        return parameter
    shape = [1] * x.dim()
    shape[axis] = -1
    return parameter.reshape(shape)


def real(x, scale, zero=None, axis=1):
    """What quantized values stand for: (x - zero point) x scale."""
    axis %= max(1, x.dim())
    out = x.to(scale.dtype)
    if zero is not None:
        out = out - _along(zero, x, axis).to(scale.dtype)
    return out * _along(scale, x, axis)


def quantized(x, scale, zero=None, axis=1):
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
def quantize(node, x, scale, zero=None):
    return quantized(x, scale, zero, node.get("axis", 1))


@operator("DequantizeLinear", "com.microsoft.DequantizeLinear", weights=(0,))
def dequantize(node, x, scale, zero=None):
    return real(x, scale, zero, node.get("axis", 1))


@operator("DynamicQuantizeLinear")
def dynamic_quantize(node, x):
    low, high = torch.clamp(x.amin(), max=0), torch.clamp(x.amax(), min=0)
    scale = (high - low) / 255
    zero = torch.clamp(torch.round(-low / scale), 0, 255).to(torch.uint8)
    return quantized(x, scale, zero), scale, zero


def _of_integers(node: Node) -> Node:
    return replace(node, integer=True)


def _shifted(x, zero, axis):
    x = x.to(torch.float32)
    return x if zero is None else x - _along(zero, x, axis).to(torch.float32)


@operator("MatMulInteger", weights=(1,))
def matmul_integer(node, a, b, a_zero=None, b_zero=None):
    a, b = _shifted(a, a_zero, -2), _shifted(b, b_zero, -1)
    return matmul(_of_integers(node), a, b).to(torch.int32)


@operator("ConvInteger", weights=(1,))
def convolution_integer(node, x, w, x_zero=None, w_zero=None):
    x, w = _shifted(x, x_zero, 1), _shifted(w, w_zero, 0)
    return convolution(_of_integers(node), x, w).to(torch.int32)


@operator("QLinearConv", weights=(3, 8))
def quantized_convolution(node: Node, *inputs):
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, *bias = inputs
    w = real(w, w_scale, w_zero, 0)
    b = bias[0] * (x_scale * w_scale) if bias and bias[0] is not None else None
    out = convolution(_of_integers(node), real(x, x_scale, x_zero), w, b)
    return quantized(out, y_scale, y_zero)


@operator("QLinearMatMul", weights=(3,))
def quantized_matmul(node: Node, *inputs):
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = inputs
    a, b = real(a, a_scale, a_zero, -2), real(b, b_scale, b_zero, -1)
    out = matmul(_of_integers(node), a, b)
    return quantized(out, y_scale, y_zero, -1)


@operator("com.microsoft.QGemm", weights=(3, 6))
def quantized_gemm(node: Node, *inputs):
    """The bias is int32 in steps of both scales; without a scale of the output that is float."""
    a, a_scale, a_zero, b, b_scale, b_zero, *rest = inputs
    c, y_scale, y_zero = (*rest, None, None, None)[:3]
    channels = 0 if node.get("transB", 0) else 1
    c = None if c is None else c * (a_scale * b_scale)
    out = gemm(_of_integers(node), real(a, a_scale, a_zero), real(b, b_scale, b_zero, channels), c)
    return out if y_scale is None else quantized(out, y_scale, y_zero)


@operator("com.microsoft.MatMulIntegerToFloat", weights=(1, 6))
def integer_matmul_to_float(node: Node, *inputs):
    a, b, a_scale, b_scale, *rest = inputs
    a_zero, b_zero, bias = (*rest, None, None, None)[:3]
    out = matmul(_of_integers(node), real(a, a_scale, a_zero, -2), real(b, b_scale, b_zero, -1))
    return out if bias is None else out + bias


@operator("com.microsoft.DynamicQuantizeMatMul", weights=(1, 4))
def dynamic_quantize_matmul(node: Node, x, b, b_scale, b_zero=None, bias=None):
    a = real(*dynamic_quantize(node, x))
    out = matmul(_of_integers(node), a, real(b, b_scale, b_zero, -1))
    return out if bias is None else out + bias


@operator("com.microsoft.QLinearAdd")
def quantized_add(node: Node, *inputs):
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = inputs
    return quantized(real(a, a_scale, a_zero) + real(b, b_scale, b_zero), y_scale, y_zero)


@operator("com.microsoft.QLinearMul")
def quantized_mul(node: Node, *inputs):
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = inputs
    return quantized(real(a, a_scale, a_zero) * real(b, b_scale, b_zero), y_scale, y_zero)


_OF_ONE = {
    "QLinearSigmoid": lambda node, x: torch.sigmoid(x),
    "QLinearLeakyRelu": lambda node, x: F.leaky_relu(x, node.get("alpha", 0.01)),
    "QLinearGlobalAveragePool": lambda node, x: x.mean(tuple(range(2, x.dim())), keepdim=True),
    "QLinearAveragePool": average_pool,
}


def _of_one(compute):
    """An operator on one quantized value, whose channels are second."""

    def run(node: Node, *inputs):
        x, x_scale, x_zero, y_scale, y_zero = (*inputs, None)[:5]
        if node.get("channels_last", 0):
            raise ValueError(f"{node.operator} with channels_last has no mapping")
        return quantized(compute(node, real(x, x_scale, x_zero)), y_scale, y_zero)

    return run


for _name, _compute in _OF_ONE.items():
    operator(f"com.microsoft.{_name}")(_of_one(_compute))


@operator("com.microsoft.QLinearConcat")
def quantized_concat(node: Node, y_scale, y_zero, *parts):
    """`parts`: value, scale and zero point of each."""
    each = [real(*parts[i : i + 3]) for i in range(0, len(parts), 3)]
    return quantized(torch.cat(each, node.get("axis")), y_scale, y_zero)
