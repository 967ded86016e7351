"""Torchvision's detection operations. How much they do depends on the proposals of the run."""

from __future__ import annotations

from ...trace.record import Op, Trace
from ..registry import Work, elements_of, formula, outputs_of, shape_of

_BOX_OVERLAP = 13  # two maxima, two minima, four differences, two clamps, product, add, divide
_BILINEAR = 8  # a weighted sum of four neighbours

# operations after which the amount of work is a matter of the input's values
DATA_DEPENDENT = frozenset(
    f"torchvision.{n}" for n in ("nms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool")
)


@formula("torchvision.nms")
def non_maximum_suppression(trace: Trace, op: Op) -> Work:
    """Boxes (n, 4): the overlap of each pair, n (n - 1) / 2 at most, of 13 FLOPs each.

    Source: torchvision/csrc/ops/cpu/nms_kernel.cpp."""
    n = shape_of(trace, op)[0]
    return Work(flops=_BOX_OVERLAP * n * (n - 1) // 2)


@formula("torchvision.roi_align", "torchvision.ps_roi_align")
def region_alignment(trace: Trace, op: Op) -> Work:
    """Each output is the mean of sampling_ratio^2 bilinear samples, of eight FLOPs and one add
    each (He et al. 2017, "Mask R-CNN", Section 3). An adaptive ratio counts as one sample, which
    is what a region of the output's size takes."""
    ratio = max(1, op.attrs.get("sampling_ratio", 1) or 1)
    made = trace.tensors[op.outputs[0]].numel
    return Work(flops=(_BILINEAR + 1) * ratio * ratio * made)


@formula("torchvision.roi_pool", "torchvision.ps_roi_pool")
def region_pooling(trace: Trace, op: Op) -> Work:
    """One compare or add for each element of the features that a region covers, taken as the
    whole grid shared out among the outputs: the elements of the features, or the outputs where
    these are more."""
    return Work(flops=max(elements_of(trace, op), outputs_of(trace, op)))
