"""Recurrent layers as fused kernels, and the elementwise part of their cells."""

from __future__ import annotations

from math import prod

from ...trace.record import Op, Trace
from ..registry import Work, aten, elements_of, formula, outputs_of, shape_of


@formula(*aten("mkldnn_rnn_layer _cudnn_rnn"))
def recurrent_layer(trace: Trace, op: Op) -> Work:
    """x (time, batch, c), and each weight matrix (gates x hidden, .) once a step and sequence."""
    steps, batch = shape_of(trace, op)[:2]
    hidden = op.attrs.get("hidden_size")
    matrices = [s for s in trace.shapes(op)[1:] if len(s) == 2 and hidden and s[0] % hidden == 0]
    macs = steps * batch * sum(map(prod, matrices))
    return Work(macs, 2 * macs)


@formula(*aten("_thnn_fused_lstm_cell _thnn_fused_gru_cell"))
def recurrent_cell(trace: Trace, op: Op) -> Work:
    """The gates' elementwise part: five FLOPs a gate element; its products are separate ops."""
    return Work(flops=5 * elements_of(trace, op))


@formula(*aten("_thnn_fused_lstm_cell_backward_impl _thnn_fused_gru_cell_backward"))
def recurrent_cell_backward(trace: Trace, op: Op) -> Work:
    """The gates' elementwise part: ten FLOPs an element of the gradient."""
    return Work(flops=10 * outputs_of(trace, op))
