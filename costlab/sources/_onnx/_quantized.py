"""Quantized operators, computed on the values that their integers stand for."""

from __future__ import annotations

from dataclasses import replace

import torch

from ._operators import Node, operator
from ._products import convolution, matmul


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


@operator("com.microsoft.QLinearAdd")
def quantized_add(node: Node, *inputs):
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = inputs
    return quantized(real(a, a_scale, a_zero) + real(b, b_scale, b_zero), y_scale, y_zero)
