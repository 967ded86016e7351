"""Losses."""

from __future__ import annotations

from ...trace.record import Op, Trace
from ..registry import Work, aten, elements_of, formula, shape_of


@formula(
    *aten(
        "nll_loss_forward nll_loss2d_forward mse_loss smooth_l1_loss huber_loss "
        "binary_cross_entropy"
    )
)
def loss(trace: Trace, op: Op) -> Work:
    """One FLOP an element of the prediction."""
    return Work(flops=elements_of(trace, op))


@formula("aten._ctc_loss")
def ctc_loss(trace: Trace, op: Op) -> Work:
    """Log-probabilities (T, N, C) and targets of length S: three log-sum-exps, ten FLOPs, for each
    of T N (2 S + 1) states (Graves et al. 2006, equation 6)."""
    steps, batch = shape_of(trace, op)[:2]
    targets = trace.tensors[op.inputs[1]]
    length = targets.shape[-1] if len(targets.shape) > 1 else targets.numel // max(1, batch)
    return Work(flops=10 * steps * batch * (2 * length + 1))
