"""Interpolation, and pools to a given size."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

import numpy as np

from .record import Plan, Windows
from .registry import Case, plain, require_few, rule

_LISTED = 16  # times what a position takes in an array, it takes in a list


@rule(*(f"{p}adaptive_{k}_pool{n}d" for p in ("", "_") for k in ("avg", "max") for n in (1, 2, 3)))
def _adaptive(case: Case) -> Plan | None:
    n = int(case.op.name[-2])
    lead = len(case.out) - n
    moves: list[Windows] = []
    for d in range(lead, lead + n):
        size, count = case.shapes[0][d], case.out[d]
        require_few(_LISTED * max(size, count))
        ranges = [(o * size // count, -(-(o + 1) * size // count)) for o in range(count)]
        moves.append(_ranges(d, ranges, Fraction(size, count) if count > 1 else Fraction(1)))
    return plain(*moves)


def _ranges(dim: int, ranges: Sequence[tuple[int, int]], stride: Fraction) -> Windows:
    """Windows from (first, past the last) positions."""
    width = max((b - a for a, b in ranges), default=1)
    taps = [[min(a + k, b - 1) for k in range(width)] for a, b in ranges]
    return Windows(dim, np.array(taps, dtype=np.int64), stride)


@rule(*(f"upsample_{kind}" for kind in ("nearest1d", "nearest2d", "nearest3d", "linear1d")))
@rule(
    "upsample_bilinear2d", "upsample_bicubic2d", "upsample_trilinear3d", "_upsample_nearest_exact2d"
)
@rule("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa", "_upsample_nearest_exact1d")
def _upsample(case: Case) -> Plan | None:
    n = int(case.op.name.removesuffix("_aa")[-2])
    lead, name = len(case.out) - n, case.op.name
    names = {1: ("scales",), 2: ("scales_h", "scales_w"), 3: ("scales_d", "scales_h", "scales_w")}
    moves: list[Windows] = []
    for i in range(n):
        size, count = case.shapes[0][lead + i], case.out[lead + i]
        if size == count and not case.attr(names[n][i]):
            continue
        require_few(_LISTED * max(size, count))
        scale = case.attr(names[n][i])
        step = 1 / scale if scale else size / count
        source = _sources(name, size, count, step, case.attr("align_corners", False))
        moves.append(_ranges(lead + i, source, Fraction(size, count)))
    return plain(*moves)


def _sources(name: str, size: int, count: int, step: float, corners: bool) -> list[tuple[int, int]]:
    """(first, past the last) input positions with a weight that is not zero, of each output
    position of an interpolation."""
    if corners and count > 1:
        step = (size - 1) / (count - 1)
    found: list[tuple[int, int]] = []
    for o in range(count):
        if "nearest" in name:
            at = floor((o + 0.5 * ("exact" in name)) * step + 1e-9)
            a, b = at, at + 1
        else:
            at = o * step if corners else (o + 0.5) * step - 0.5
            reach = (2 if "bicubic" in name else 1) * (max(1.0, step) if "_aa" in name else 1)
            a, b = floor(at - reach + 1e-9) + 1, ceil(at + reach - 1e-9)
        a = min(size - 1, max(0, a))
        found.append((a, max(a + 1, min(size, b))))
    return found
