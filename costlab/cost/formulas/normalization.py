"""Normalization of activations and of weights."""

from __future__ import annotations

from ...trace.record import Op, Trace
from ..registry import Work, aten, elements_of, formula


@formula(
    *aten(
        "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training "
        "cudnn_batch_norm _batch_norm_with_update _batch_norm_no_update native_layer_norm "
        "native_group_norm _fused_rms_norm"
    )
)
def norm(trace: Trace, op: Op) -> Work:
    """Subtract, divide, scale, shift: four FLOPs an element, as torch fuses none of them in the
    reference form (Ioffe and Szegedy 2015, Algorithm 1)."""
    return Work(flops=4 * elements_of(trace, op))


@formula(
    *aten(
        "native_batch_norm_backward native_layer_norm_backward native_group_norm_backward "
        "cudnn_batch_norm_backward _fused_rms_norm_backward batch_norm_backward"
    )
)
def norm_backward(trace: Trace, op: Op) -> Work:
    """Two reductions and the gradient: eight FLOPs an element."""
    return Work(flops=8 * elements_of(trace, op))


@formula("aten._weight_norm_interface")
def weight_norm(trace: Trace, op: Op) -> Work:
    """Square, sum, scale: three FLOPs a weight (Salimans and Kingma 2016, equation 2)."""
    return Work(flops=3 * elements_of(trace, op))


@formula("aten._weight_norm_interface_backward")
def weight_norm_backward(trace: Trace, op: Op) -> Work:
    """Two passes such as the forward one: six FLOPs a weight."""
    return Work(flops=6 * elements_of(trace, op))
