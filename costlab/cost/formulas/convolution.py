"""Convolutions, their transposed forms, and their gradients."""

from __future__ import annotations

from math import prod

from ...trace.record import Op, Trace
from ..registry import Work, aten, formula, multiply_adds, outputs_of, shape_of


def convolution_macs(trace: Trace, op: Op) -> int:
    """Output elements x kernel x c_in/groups; transposed: input elements x kernel x c_out/groups.

    The weight is (c_out, c_in/groups, *kernel), or transposed (c_in, c_out/groups, *kernel).
    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic", Section 2 and 4."""
    data, weight = trace.shapes(op)[:2]
    positions = prod(data) if op.attrs.get("transposed") else outputs_of(trace, op)
    return positions * prod(weight[1:])


@formula(
    *aten("convolution _convolution convolution_overrideable cudnn_convolution mkldnn_convolution")
)
def convolution(trace: Trace, op: Op) -> Work:
    """The products of `convolution_macs`, and one add an output element for a bias."""
    bias = outputs_of(trace, op) if len(op.inputs) > 2 else 0
    return multiply_adds(trace, op, convolution_macs(trace, op), bias)


@formula(*aten("convolution_backward cudnn_convolution_backward"))
def convolution_backward(trace: Trace, op: Op) -> Work:
    """For the input's and for the weight's gradient as many MACs as forward, each where it is
    asked for; one add an element of the gradient for the bias's."""
    grad, data, weight = trace.shapes(op)[:3]
    forward = (prod(data) if op.attrs.get("transposed") else prod(grad)) * prod(weight[1:])
    mask = op.attrs.get("output_mask", (True, True, False))
    return multiply_adds(trace, op, forward * sum(mask[:2]), prod(grad) if mask[2] else 0)


@formula("aten.conv_tbc")
def convolution_in_time(trace: Trace, op: Op) -> Work:
    """(time, batch, c_in) by (k, c_in, c_out): output elements x k x c_in, one add each for the
    bias."""
    k, c_in, _ = shape_of(trace, op, 1)
    made = outputs_of(trace, op)
    return multiply_adds(trace, op, made * k * c_in, made)


# what bilinear sampling and the mask cost an element of a deformable convolution's columns
_TAPS = 4


@formula("torchvision.deform_conv2d")
def deformable_convolution(trace: Trace, op: Op) -> Work:
    """As a convolution, over columns that are sampled bilinearly: output elements x kernel x
    c_in/groups, and for each element of the columns four multiply-adds and one product with the
    mask. Inputs: data, weight, offset, mask, bias.

    Source: Dai et al. 2017, "Deformable Convolutional Networks", equations 2 and 3; Zhu et al.
    2018 for the mask."""
    data, weight = trace.shapes(op)[:2]
    made = outputs_of(trace, op)
    places = made // max(1, weight[0])  # batch x output grid
    columns = places * data[1] * prod(weight[2:])
    masked = op.attrs.get("use_mask", True)
    macs = made * prod(weight[1:])
    return Work(macs, 2 * macs + columns * (2 * _TAPS + bool(masked)) + made)
