"""Pooling over windows, and its gradients."""

from __future__ import annotations

from math import prod

from ...trace.record import Op, Trace
from ..registry import Work, aten, elements_of, formula


def _window(op: Op, dimensions: int) -> int:
    """Elements of the kernel, which may be given once for all dimensions."""
    kernel = op.attrs.get("kernel_size", 1)
    kernel = (kernel,) if isinstance(kernel, int) else kernel
    return prod(kernel) if len(kernel) == dimensions else kernel[0] ** dimensions


def _dimensions(op: Op) -> int:
    """max_pool2d_with_indices -> 2."""
    return int(op.name.split("pool")[1][0])


@formula(
    *aten(
        "max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices "
        "max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d"
    )
)
def pool(trace: Trace, op: Op) -> Work:
    """One compare or add for each kernel element of each output."""
    return Work(flops=trace.tensors[op.outputs[0]].numel * _window(op, _dimensions(op)))


@formula(*aten("avg_pool2d_backward avg_pool3d_backward"))
def average_pool_backward(trace: Trace, op: Op) -> Work:
    """One add for each kernel element of each element of the gradient."""
    return Work(flops=elements_of(trace, op) * _window(op, _dimensions(op)))
