"""Reductions, scans and orderings, and gradients that are scattered."""

from __future__ import annotations

from ...trace.record import Op, Trace
from ..registry import Work, aten, elements_of, formula


@formula(
    *aten(
        "mean sum nansum amax amin max min prod cumsum var var_mean std std_mean "
        "linalg_vector_norm norm argmax argmin any all logsumexp topk sort median nanmedian "
        "aminmax cumprod count_nonzero histc cummax cummin logcumsumexp kthvalue mode trace "
        "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d _adaptive_avg_pool2d "
        "_adaptive_avg_pool3d _unique _unique2 unique_consecutive _is_all_true _is_any_true "
        "isin equal searchsorted bucketize allclose dist renorm multinomial "
        "segment_reduce histogram"
    )
)
def reduction(trace: Trace, op: Op) -> Work:
    """One FLOP an input element."""
    return Work(flops=elements_of(trace, op))


@formula(
    *aten(
        "max_pool2d_with_indices_backward max_pool3d_with_indices_backward "
        "embedding_dense_backward _adaptive_avg_pool2d_backward upsample_nearest2d_backward "
        "slice_backward nll_loss_backward nll_loss2d_backward select_backward unfold_backward "
        "reflection_pad1d_backward reflection_pad2d_backward reflection_pad3d_backward "
        "replication_pad1d_backward replication_pad2d_backward replication_pad3d_backward "
        "_adaptive_avg_pool3d_backward adaptive_max_pool2d_backward adaptive_max_pool3d_backward "
        "fractional_max_pool2d_backward fractional_max_pool3d_backward upsample_nearest1d_backward "
        "upsample_nearest3d_backward _upsample_nearest_exact1d_backward "
        "_upsample_nearest_exact2d_backward _upsample_nearest_exact3d_backward"
    )
)
def scatter_backward(trace: Trace, op: Op) -> Work:
    """One add an element of the gradient."""
    return Work(flops=elements_of(trace, op))


@formula(*aten("_embedding_bag _embedding_bag_forward_only"))
def embedding_bag(trace: Trace, op: Op) -> Work:
    """One add an element of every looked-up row."""
    width = trace.tensors[op.inputs[0]].shape[-1]
    return Work(flops=elements_of(trace, op, 1) * width)
