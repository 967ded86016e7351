"""Kernels spread over the sizes that networks have: what is measured beside the shapes of known
networks.

Draws are of a Halton sequence (Halton 1960), which fills a space evenly however many are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from ..kernels import (
    Attention,
    Concatenation,
    Convolution,
    Copy,
    DepthwiseConvolution,
    Elementwise,
    Interpolation,
    Kernel,
    Lookup,
    Normalization,
    Pooling,
    Product,
    Recurrent,
    Reduction,
    Softmax,
    TransposedConvolution,
    VolumeConvolution,
)

T = TypeVar("T")

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)
_SKIPPED = 20  # draws; the first of all bases lie on a line


class Draw:
    """One point of the sequence; each call takes the next dimension."""

    def __init__(self, index: int):
        self._index, self._dimension = index + _SKIPPED, 0

    def unit(self) -> float:
        """From 0 to 1."""
        base = _PRIMES[self._dimension]
        self._dimension += 1
        index, fraction, found = self._index, 1.0, 0.0
        while index:
            fraction /= base
            index, digit = divmod(index, base)
            found += digit * fraction
        return found

    def size(self, least: int, most: int, multiple: int = 1) -> int:
        """A size, evenly by its logarithm, rounded to a multiple."""
        value = least * (most / least) ** self.unit()
        return max(least, round(value / multiple) * multiple)

    def of(self, *values: T) -> T:
        """One of several values."""
        return values[min(int(self.unit() * len(values)), len(values) - 1)]


def _convolution(index: int) -> Kernel:
    draw = Draw(index)
    height, width = draw.of(*_FILTERS)
    grid = draw.size(5, 160)
    wide = 2 if grid > 64 else 8
    inner, outer = draw.size(8, 2048 // wide * 4, 8), draw.size(8, 2048 // wide * 4, 8)
    batch = draw.of(1, 1, 2, 4, 8, 16, 32)
    stride, groups = draw.of(1, 1, 1, 2), draw.of(1, 1, 1, 1, 1, 2, 4, 8, 32)
    if inner % groups or outer % groups or inner == groups:
        groups = 1
    return Convolution(
        *(batch, inner, outer, grid, grid, height, width, stride, stride),
        padding_height=height // 2,
        padding_width=width // 2,
        groups=groups,
        bias=index % 3 == 0,
    )


# (height, width) of filters, those that networks have most often more than once
_FILTERS = tuple(
    size
    for size, times in {
        (1, 1): 6,
        (3, 3): 6,
        (5, 5): 2,
        (7, 7): 1,
        (1, 7): 1,
        (7, 1): 1,
        (1, 3): 1,
        (3, 1): 1,
        (1, 5): 1,
        (5, 1): 1,
        (2, 2): 1,
        (4, 4): 1,
        (9, 9): 1,
        (11, 11): 1,
        (13, 13): 1,
        (15, 15): 1,
        (21, 21): 1,
        (31, 31): 1,
        (1, 9): 1,
        (9, 1): 1,
        (1, 15): 1,
        (15, 1): 1,
        (1, 31): 1,
        (31, 1): 1,
    }.items()
    for _ in range(times)
)


def _depthwise(index: int) -> Kernel:
    draw = Draw(index)
    side, grid = draw.of(3, 3, 3, 3, 5, 5, 5, 7, 7, 9, 13, 31), draw.size(5, 130)
    channels, batch, stride = draw.size(16, 1536, 8), draw.of(1, 1, 4, 8, 32), draw.of(1, 1, 1, 2)
    return DepthwiseConvolution(
        *(batch, channels, channels, grid, grid, side, side, stride, stride),
        padding_height=side // 2,
        padding_width=side // 2,
        groups=channels,
        bias=index % 3 == 0,
    )


def _product(index: int) -> Kernel:
    draw = Draw(index)
    if index % 3 == 2:
        batch, rows = draw.size(2, 512), draw.size(16, 512)
        return Product(batch, rows, draw.size(16, 512, 8), draw.of(16, 32, 64, 64, 128), False)
    rows, columns, inner = draw.size(1, 32768), draw.size(16, 8192, 8), draw.size(16, 8192, 8)
    return Product(1, rows, columns, inner, weighted=True, bias=index % 3 == 0)


def _normalization(index: int) -> Kernel:
    draw = Draw(index)
    if index % 2:
        outer, channels = draw.size(1, 65536), draw.size(32, 2048, 8)
        return Normalization("layer", outer, channels, 1, strided=draw.unit() < 0.25)
    batch, channels, grid = draw.of(1, 1, 8, 32), draw.size(16, 2048, 8), draw.size(1, 150)
    group = draw.unit() < 0.15 and channels % 32 == 0
    return Normalization(
        *("group" if group else "batch", batch, channels, grid * grid, 32 if group else 1)
    )


def _pooling(index: int) -> Kernel:
    draw = Draw(index)
    side, stride, grid = draw.of(2, 3, 3, 3), draw.of(1, 2, 2), draw.size(7, 150)
    batch, channels = draw.of(1, 1, 8, 32), draw.size(16, 1024, 8)
    if index % 7 == 6:
        return Pooling("across", min(batch, 8), channels, grid, grid, 5, 1, 1, 1)
    padding = side // 2 if stride == 1 or index % 2 else 0
    kind = "max" if index % 3 else "average"
    return Pooling(
        *(kind, batch, channels, grid, grid, side, side, stride, stride, padding, padding)
    )


def _reduction(index: int) -> Kernel:
    draw = Draw(index)
    if index % 2:
        return Reduction(draw.size(1, 32), draw.size(16, 4096), draw.size(32, 2048))
    return Reduction(draw.size(16, 65536), draw.size(16, 4096))


def _elementwise(index: int) -> Kernel:
    draw = Draw(index)
    function = _FUNCTIONS[index % len(_FUNCTIONS)]
    elements = draw.size(256, 2**26, 64)
    in_place = draw.unit() < 0.4
    if function not in ("add", "mul", "div"):
        return Elementwise(function, elements, in_place=in_place)
    kind = draw.of(0, 1, 1, 2)  # with a number, with as many elements, with some of them
    channels = draw.size(16, 2048, 8)
    if kind == 2:
        elements = max(elements // channels, 1) * channels
    return Elementwise(function, elements, (0, elements, channels)[kind], in_place)


_FUNCTIONS = (
    *("relu", "add", "mul", "gelu", "relu", "add", "silu", "mul", "sigmoid", "add"),
    *("hardswish", "tanh", "relu", "mul", "div", "pow"),
)


def _softmax(index: int) -> Kernel:
    draw = Draw(index)
    return Softmax(draw.size(1, 65536), draw.size(16, 4096))


def _concatenation(index: int) -> Kernel:
    draw = Draw(index)
    inputs, outer = draw.of(2, 2, 3, 4, 4, 8), draw.size(1, 4096)
    return Concatenation(inputs, outer, max(inputs, draw.size(2**10, 2**24) // outer))


def _copy(index: int) -> Kernel:
    draw = Draw(index)
    return Copy(draw.size(256, 2**26, 64), strided=bool(index % 2))


def _attention(index: int) -> Kernel:
    draw = Draw(index)
    queries, heads, batch = draw.size(16, 1024), draw.of(3, 6, 8, 12, 16), draw.of(1, 1, 8, 32)
    keys = queries if index % 4 else draw.size(16, 1024)
    return Attention(batch, heads, queries, keys, draw.of(32, 64, 64, 128), index % 5 == 4)


def _transposed(index: int) -> Kernel:
    """Mostly of kernels of 2 and 4 that double the grid, as decoders have them."""
    draw = Draw(index)
    side, grid = draw.of(2, 2, 3, 4, 4, 5), draw.size(4, 128)
    inner, outer = draw.size(8, 1024, 8), draw.size(8, 512, 8)
    batch, stride = draw.of(1, 1, 2, 8), draw.of(1, 2, 2, 2, 4)
    stride = min(stride, side)
    padding, more = (side - stride + 1) // 2, (side - stride) % 2 if stride > 1 else 0
    return TransposedConvolution(
        *(batch, inner, outer, grid, grid, side, side, stride, stride, padding, padding),
        output_padding_height=more,
        output_padding_width=more,
        bias=index % 2 == 0,
    )


def _volume(index: int) -> Kernel:
    """Of 3x3x3, and of its factors 1x3x3 and 3x1x1, as networks for videos have them."""
    draw = Draw(index)
    deep, side = draw.of((3, 3), (3, 3), (1, 3), (3, 1), (1, 1), (5, 5), (7, 7))
    grid, frames = draw.size(4, 64), draw.size(4, 32)
    inner, outer = draw.size(8, 512, 8), draw.size(8, 512, 8)
    batch, stride = draw.of(1, 1, 2, 4), draw.of(1, 1, 2)
    depthwise = index % 6 == 5
    return VolumeConvolution(
        *(batch, inner, inner if depthwise else outer, frames, grid, grid, deep, side, side),
        *(stride if deep > 1 else 1, stride, stride, deep // 2, side // 2, side // 2),
        groups=inner if depthwise else 1,
        bias=index % 2 == 0,
    )


def _interpolation(index: int) -> Kernel:
    draw = Draw(index)
    kind, grid = draw.of("nearest", "linear", "linear", "cubic"), draw.size(4, 128)
    channels, batch, times = draw.size(1, 1024), draw.of(1, 1, 8), draw.of(2, 2, 2, 4, 8, 0.5)
    return Interpolation(kind, batch, channels, grid, grid, *(max(1, int(grid * times)),) * 2)


def _recurrent(index: int) -> Kernel:
    draw = Draw(index)
    steps, hidden = draw.size(4, 256), draw.size(32, 1024, 32)
    inputs, batch = draw.size(32, 1024, 32), draw.of(1, 1, 4, 16, 32)
    kind = ("LSTM", "GRU", "LSTM", "GRU", "RNN")[index % 5]
    return Recurrent(kind, steps, batch, inputs, hidden, draw.of(1, 1, 2, 3), draw.of(False, True))


def _lookup(index: int) -> Kernel:
    draw = Draw(index)
    return Lookup(draw.size(1, 16384), draw.size(32, 4096, 8), draw.size(128, 131072))


SPACES: dict[str, Callable[[int], Kernel]] = {
    "convolution": _convolution,
    "depthwise convolution": _depthwise,
    "product": _product,
    "normalization": _normalization,
    "pooling": _pooling,
    "reduction": _reduction,
    "elementwise": _elementwise,
    "softmax": _softmax,
    "concatenation": _concatenation,
    "copy": _copy,
    "attention": _attention,
    "transposed convolution": _transposed,
    "3-d convolution": _volume,
    "interpolation": _interpolation,
    "recurrent": _recurrent,
    "lookup": _lookup,
}


def spread(family: str) -> Iterator[Kernel]:
    """Kernels of a family without end, evenly over its sizes."""
    index = 0
    while True:
        yield SPACES[family](index)
        index += 1
