"""Kernels that multiply and add: convolutions, matrix products, attention."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .kernel import Kernel, log


@dataclass(frozen=True)
class Convolution(Kernel):
    """A convolution of `batch` x `channels_in` x `height` x `width`, `dilation` the larger of both
    axes."""

    batch: int
    channels_in: int
    channels_out: int
    height: int
    width: int
    kernel_height: int
    kernel_width: int
    stride_height: int = 1
    stride_width: int = 1
    padding_height: int = 0
    padding_width: int = 0
    dilation: int = 1
    groups: int = 1
    bias: bool = False

    family = "convolution"
    layouts = True

    @property
    def out_height(self) -> int:
        """Rows of the output."""
        reach = self.dilation * (self.kernel_height - 1) + 1
        return (self.height + 2 * self.padding_height - reach) // self.stride_height + 1

    @property
    def out_width(self) -> int:
        """Columns of the output."""
        reach = self.dilation * (self.kernel_width - 1) + 1
        return (self.width + 2 * self.padding_width - reach) // self.stride_width + 1

    @property
    def positions(self) -> int:
        """Of the output, over the batch."""
        return self.batch * self.out_height * self.out_width

    @property
    def products(self) -> tuple[int, int, int, int]:
        """As by im2col: a product for each group."""
        inner = self.channels_in // self.groups * self.kernel_height * self.kernel_width
        return self.groups, self.positions, self.channels_out // self.groups, inner

    @property
    def flops(self) -> float:
        return 2.0 * math.prod(self.products)

    @property
    def weights(self) -> int:
        groups, _, columns, inner = self.products
        return groups * columns * inner + self.bias * self.channels_out

    @property
    def read(self) -> int:
        return self.batch * self.channels_in * self.height * self.width + self.weights

    @property
    def written(self) -> int:
        return self.positions * self.channels_out

    @property
    def reordered(self) -> tuple[int, ...]:
        return self.read - self.weights, self.written

    @property
    def features(self) -> tuple[float, ...]:
        groups, rows, columns, inner = self.products
        taps = self.kernel_height * self.kernel_width
        return (
            log(rows),
            log(columns),
            log(inner / taps),
            log(self.kernel_height),
            log(self.kernel_width),
            log(groups),
            2.0 * log(self.stride_height * self.stride_width),
            2.0 * log(self.dilation),
            log(self.batch) / 2,
            1.0 * (taps == 1),
            1.0 * (self.kernel_height != self.kernel_width),
            0.5 * self.bias,
        )


@dataclass(frozen=True)
class DepthwiseConvolution(Convolution):
    """A convolution in which every group has one channel, which other kernels run."""

    family = "depthwise convolution"


@dataclass(frozen=True)
class Product(Kernel):
    """`batch` products of `rows` x `inner` with `inner` x `columns`. `weighted`: the second is a
    weight, stored as columns x inner, and `batch` is 1."""

    batch: int
    rows: int
    columns: int
    inner: int
    weighted: bool = True
    bias: bool = False

    family = "product"

    @property
    def products(self) -> tuple[int, int, int, int]:
        return self.batch, self.rows, self.columns, self.inner

    @property
    def flops(self) -> float:
        return 2.0 * math.prod(self.products)

    @property
    def weights(self) -> int:
        if not self.weighted:
            return 0
        return self.columns * self.inner + self.bias * self.columns

    @property
    def read(self) -> int:
        return self.batch * (self.rows + self.columns) * self.inner + self.bias * self.columns

    @property
    def written(self) -> int:
        return self.batch * self.rows * self.columns

    @property
    def features(self) -> tuple[float, ...]:
        return (
            log(self.batch),
            log(self.rows),
            log(self.columns),
            log(self.inner),
            1.0 * self.weighted,
            0.5 * self.bias,
        )


@dataclass(frozen=True)
class Attention(Kernel):
    """Scaled dot-product attention of `heads` in `batch` sequences, heads `width` wide."""

    batch: int
    heads: int
    queries: int
    keys: int
    width: int
    masked: bool = False

    family = "attention"

    @property
    def flops(self) -> float:
        return 4.0 * self.batch * self.heads * self.queries * self.keys * self.width

    @property
    def products(self) -> tuple[int, int, int, int]:
        return self.batch * self.heads, self.queries, 2 * self.keys, self.width

    @property
    def read(self) -> int:
        return self.batch * self.heads * (self.queries + 2 * self.keys) * self.width

    @property
    def written(self) -> int:
        return self.batch * self.heads * self.queries * self.width

    @property
    def features(self) -> tuple[float, ...]:
        return (
            log(self.batch * self.heads),
            log(self.queries),
            log(self.keys),
            log(self.width),
            2.0 * self.masked,
        )
