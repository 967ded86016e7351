"""Fourier transforms."""

from __future__ import annotations

from math import log2, prod

from ...trace.record import Op, Trace
from ..registry import Work, aten, formula, shape_of


@formula(*aten("_fft_c2c _fft_r2c _fft_c2r"))
def fourier(trace: Trace, op: Op) -> Work:
    """5 N log2 N for N complex points, half of it where one side is real.

    Source: the FFTW convention, fftw.org/speed."""
    dims: tuple[int, ...] = op.attrs["dim"]
    shape = max(shape_of(trace, op), trace.tensors[op.outputs[0]].shape, key=prod)
    points = prod(shape[d] for d in dims)
    factor = 5 if op.name.endswith("c2c") else 2.5
    return Work(flops=round(factor * prod(shape) * log2(points)) if points else 0)
