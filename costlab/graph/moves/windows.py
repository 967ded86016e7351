"""Convolutions, pools and sliding windows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ...cost.formulas import quantized
from .record import NOWHERE, Everything, Mix, Move, Operand, Permute, Plan, Reshape, Windows
from .registry import Case, grid_roles, ints, places, plain, rule, taken


@rule("convolution", "_convolution", "conv1d", "conv2d", "conv3d")
@rule(*quantized.CONVOLUTIONS)
def _convolution(case: Case) -> Plan | None:
    shape, weight = case.shapes[0], case.shapes[1]
    n = len(weight) - 2
    stride, dilation = ints(case.attr("stride"), n), ints(case.attr("dilation"), n)
    pad = ints(case.attr("padding"), n, 0)
    taps: list[Move] = []
    lead = len(shape) - n - 1
    for i in range(n):
        out, k = places(case.out[lead + 1 + i], weight[2 + i])[:, None], places(weight[2 + i])
        if case.attr("transposed", False):
            at = out + pad[i] - dilation[i] * k
            found = np.where(at % stride[i] == 0, at // stride[i], NOWHERE)
            taps.append(Windows(lead + 1 + i, found, Fraction(1, stride[i])))
        else:
            found = stride[i] * out - pad[i] + dilation[i] * k
            taps.append(Windows(lead + 1 + i, found, Fraction(stride[i])))
    depthwise = case.attr("groups", 1) == shape[lead] == case.out[lead]
    across = () if depthwise else (Mix(lead, case.out[lead], features=True),)
    return Plan(
        (Operand(0, (*taps, *across)), Operand(1, (Everything(),))),
        roles=grid_roles(lead, n),
        channels=None if depthwise else lead,
    )


@rule(*(f"{kind}_pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)))
@rule("max_pool2d_with_indices", "max_pool3d_with_indices", "lp_pool2d")
@rule(*(f"quantized_max_pool{n}d" for n in (1, 2, 3)))
def _pool(case: Case) -> Plan | None:
    n = int(case.op.name[case.op.name.index("_pool") + 5])
    lead = len(case.out) - n
    kernel = ints(case.attr("kernel_size"), n)
    stride = kernel if not case.attr("stride") else ints(case.attr("stride"), n)
    pad, dilation = ints(case.attr("padding"), n, 0), ints(case.attr("dilation"), n)
    moves: list[Move] = []
    for i in range(n):
        out = places(case.out[lead + i], kernel[i])[:, None]
        taps = stride[i] * out - pad[i] + dilation[i] * places(kernel[i])
        moves.append(Windows(lead + i, taps, Fraction(stride[i])))
    return plain(*moves)


@rule("unfold")
def _unfold(case: Case) -> Plan | None:
    """Windows along one dimension; their inside becomes the last one."""
    d = case.dim("dimension")
    size: int = case.attr("size")
    step: int = case.attr("step")
    n = case.out[d]
    taps = (step * places(n, size)[:, None] + places(size)).ravel()
    shape = case.shapes[0]
    apart = (*shape[:d], n, size, *shape[d + 1 :])
    order = tuple(i for i in range(len(apart)) if i != d + 1) + (d + 1,)
    return plain(taken(d, taps), Reshape(apart), Permute(order))


@rule("im2col")
def _im2col(case: Case) -> Plan | None:
    """F.unfold: kernel positions beside the channels, places of the window as tokens."""
    shape = case.shapes[0]
    lead = shape[:-2]
    kernel, stride = ints(case.attr("kernel_size"), 2), ints(case.attr("stride"), 2)
    pad, dilation = ints(case.attr("padding"), 2, 0), ints(case.attr("dilation"), 2)
    n = len(lead)
    counts: list[int] = []
    moves: list[Move] = []
    for i in range(2):
        span = dilation[i] * (kernel[i] - 1) + 1
        count = (shape[n + i] + 2 * pad[i] - span) // stride[i] + 1
        counts.append(count)
        begin = stride[i] * places(count, kernel[i]) - pad[i]
        taps = begin + dilation[i] * places(kernel[i])[:, None]
        moves.append(taken(n + i, taps.ravel()))
    moves.append(Reshape((*lead, kernel[0], counts[0], kernel[1], counts[1])))
    moves.append(Permute((*range(n), n, n + 2, n + 1, n + 3)))
    return plain(*moves, Reshape(case.out), roles=grid_roles(n - 1, 2))


@rule("col2im")
def _col2im(case: Case) -> Plan | None:
    """F.fold: the windows are added where they lie."""
    out, kernel = ints(case.attr("output_size"), 2), ints(case.attr("kernel_size"), 2)
    stride, pad = ints(case.attr("stride"), 2), ints(case.attr("padding"), 2, 0)
    dilation, lead = ints(case.attr("dilation"), 2), case.out[:-2]
    n = len(lead)
    counts = [
        (out[i] + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(2)
    ]
    moves: list[Move] = [
        Reshape((*lead, *kernel, *counts)),
        Permute((*range(n), n, n + 2, n + 1, n + 3)),
    ]
    moves.append(Reshape((*lead, kernel[0] * counts[0], kernel[1] * counts[1])))
    for i in range(2):
        place = places(out[i], kernel[i])[:, None] + pad[i] - dilation[i] * places(kernel[i])
        at = place // stride[i]
        there = (place % stride[i] == 0) & (at >= 0) & (at < counts[i])
        taps = np.where(there, places(kernel[i]) * counts[i] + at, NOWHERE)
        moves.append(Windows(n + i, taps, Fraction(1, stride[i])))
    return plain(*moves)
