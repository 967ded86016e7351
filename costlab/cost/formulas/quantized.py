"""Quantized operations (torch.ao, and ONNX files): products of 8-bit integers, and the elementwise
work around them. Packed weights and biases are recorded as further tensor inputs."""

from __future__ import annotations

from math import prod

from ...trace.record import Op, Trace
from ..registry import INTEGERS, Work, aten, elements_of, formula, named, outputs_of, shape_of
from .convolution import convolution_macs

CONVOLUTIONS = named(
    "quantized",
    "conv1d conv2d conv3d conv1d_relu conv2d_relu conv3d_relu conv2d_add conv2d_add_relu "
    "conv1d_dynamic conv2d_dynamic conv3d_dynamic",
) + ("onnx.integer_convolution",)
TRANSPOSED = named(
    "quantized",
    "conv_transpose1d conv_transpose2d conv_transpose3d conv_transpose1d_dynamic "
    "conv_transpose2d_dynamic conv_transpose3d_dynamic",
)


LINEAR = named(
    "quantized",
    "linear linear_relu linear_leaky_relu linear_tanh linear_dynamic linear_relu_dynamic",
) + ("onnx.integer_product",)
HALF = named("quantized", "linear_dynamic_fp16 linear_relu_dynamic_fp16")
# inputs: data, weight, bias
PRODUCTS = CONVOLUTIONS + TRANSPOSED + LINEAR + HALF


def _requantized(trace: Trace, op: Op, macs: int) -> Work:
    """Integer products; then each output is scaled, and gets its bias: two FLOPs."""
    return Work(flops=2 * outputs_of(trace, op), integer_macs=macs)


@formula(*CONVOLUTIONS)
def quantized_convolution(trace: Trace, op: Op) -> Work:
    """As the floating-point convolution, in integer multiply-adds (Jacob et al. 2018, eq. 7)."""
    return _requantized(trace, op, convolution_macs(trace, op) if len(op.inputs) > 1 else 0)


@formula(*TRANSPOSED)
def quantized_transposed_convolution(trace: Trace, op: Op) -> Work:
    """Input elements x kernel x c_out/groups, in integer multiply-adds."""
    macs = elements_of(trace, op) * prod(shape_of(trace, op, 1)[1:]) if len(op.inputs) > 1 else 0
    return _requantized(trace, op, macs)


@formula(*LINEAR)
def quantized_linear(trace: Trace, op: Op) -> Work:
    """(.., k) by a weight (m, k), or in ONNX files (k, m): outputs x k integer multiply-adds."""
    return _requantized(trace, op, outputs_of(trace, op) * shape_of(trace, op)[-1])


@formula(*HALF)
def half_precision_linear(trace: Trace, op: Op) -> Work:
    """(.., k) by a half-precision weight (m, k): floating-point products."""
    macs = outputs_of(trace, op) * shape_of(trace, op)[-1]
    return Work(macs, 2 * macs + outputs_of(trace, op))


@formula(
    *aten("quantized_lstm quantized_gru"),
    *named(
        "quantized",
        "quantized_lstm_cell_dynamic quantized_gru_cell_dynamic quantized_rnn_relu_cell_dynamic "
        "quantized_rnn_tanh_cell_dynamic",
    ),
)
def quantized_recurrent(trace: Trace, op: Op) -> Work:
    """x (.., c) by each weight matrix (gates x hidden, .), once a step and sequence: integer
    multiply-adds, floating-point ones where the weights are half-precision. Five FLOPs a gate
    element, as in floating-point cells."""
    places = prod(shape_of(trace, op)[:-1])
    weights = [trace.tensors[trace.params[p].tensor] for p in op.params]
    weights = [w for w in weights if len(w.shape) == 2]
    macs = places * sum(w.numel for w in weights)
    gates = 5 * places * sum(w.shape[0] for w in weights[::2])
    if all(w.dtype in INTEGERS for w in weights):
        return Work(flops=gates, integer_macs=macs)
    return Work(macs, 2 * macs + gates)


@formula(
    *named(
        "quantized",
        "add add_relu add_scalar add_scalar_relu mul mul_relu mul_scalar mul_scalar_relu relu6 "
        "leaky_relu hardswish elu celu sigmoid tanh clamp prelu softmax dropout batch_norm "
        "batch_norm1d batch_norm2d batch_norm3d batch_norm_relu batch_norm1d_relu "
        "batch_norm2d_relu batch_norm3d_relu instance_norm layer_norm group_norm max_pool1d "
        "max_pool2d max_pool3d",
    ),
    *aten(
        "quantize_per_tensor quantize_per_tensor_dynamic quantize_per_channel dequantize "
        "quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d quantized_batch_norm "
        "fake_quantize_per_tensor_affine fake_quantize_per_channel_affine "
        "fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask "
        "_fake_quantize_per_tensor_affine_cachemask_tensor_qparams"
    ),
)
def quantized_elementwise(trace: Trace, op: Op) -> Work:
    """One FLOP an output element: what is around the products."""
    return Work(flops=outputs_of(trace, op))


@formula(
    *named("quantized", "cat cat_relu embedding_byte embedding_4bit"),
    *aten(
        "int_repr q_scale q_zero_point q_per_channel_scales q_per_channel_zero_points "
        "q_per_channel_axis qscheme _empty_affine_quantized empty_quantized"
    ),
)
def quantized_movement(trace: Trace, op: Op) -> Work:
    """No arithmetic; the cost is in the bytes."""
    return Work()


@formula("quantized.embedding_bag_byte", "quantized.embedding_bag_4bit")
def quantized_embedding_bag(trace: Trace, op: Op) -> Work:
    """One add an element of every looked-up row."""
    width = trace.tensors[op.outputs[0]].shape[-1]
    return Work(flops=elements_of(trace, op) * width)
