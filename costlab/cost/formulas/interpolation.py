"""Resizing and sampling between grid points."""

from __future__ import annotations

from ...trace.record import Op, Trace
from ..registry import Work, aten, elements_of, formula, outputs_of

# neighbours that one output element is a weighted sum of
_TAPS = {
    "linear1d": 2,
    "bilinear2d": 4,
    "trilinear3d": 8,
    "bicubic2d": 16,
    "grid_sampler_2d": 4,
    "grid_sampler_3d": 8,
}


def _taps(name: str) -> int:
    return next(n for kind, n in reversed(_TAPS.items()) if kind in name)


@formula(
    *aten(
        "upsample_linear1d upsample_bilinear2d _upsample_bilinear2d_aa upsample_trilinear3d "
        "upsample_bicubic2d _upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d"
    )
)
def interpolation(trace: Trace, op: Op) -> Work:
    """A weighted sum of 2 (linear), 4 (bilinear), 8 (trilinear) or 16 (bicubic) neighbours: two
    FLOPs each."""
    return Work(flops=2 * _taps(op.name) * outputs_of(trace, op))


@formula(
    *aten(
        "upsample_linear1d_backward upsample_bilinear2d_backward upsample_trilinear3d_backward "
        "upsample_bicubic2d_backward _upsample_bilinear2d_aa_backward "
        "_upsample_bicubic2d_aa_backward grid_sampler_2d_backward grid_sampler_3d_backward"
    )
)
def interpolation_backward(trace: Trace, op: Op) -> Work:
    """As forward, by the gradient's elements."""
    return Work(flops=2 * _taps(op.name) * elements_of(trace, op))
