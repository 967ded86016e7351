"""Kernels that make a grid larger: transposed convolutions, interpolation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from .kernel import Kernel, log, one_hot
from .moving import Elementwise
from .multiplying import Convolution


@dataclass(frozen=True)
class TransposedConvolution(Kernel):
    """The gradient of a convolution by its input: from `batch` x `channels_in` x `height` x `width`
    to a grid that is about `stride` times as large."""

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
    output_padding_height: int = 0
    output_padding_width: int = 0
    dilation: int = 1
    groups: int = 1
    bias: bool = False

    family = "transposed convolution"
    layouts = True

    @property
    def out_height(self) -> int:
        """Rows of the output."""
        reach = self.dilation * (self.kernel_height - 1) + self.output_padding_height + 1
        return max(0, (self.height - 1) * self.stride_height - 2 * self.padding_height + reach)

    @property
    def out_width(self) -> int:
        """Columns of the output."""
        reach = self.dilation * (self.kernel_width - 1) + self.output_padding_width + 1
        return max(0, (self.width - 1) * self.stride_width - 2 * self.padding_width + reach)

    @property
    def products(self) -> tuple[int, int, int, int]:
        """A product for each group, whose columns are added up where taps meet."""
        columns = self.channels_out // self.groups * self.kernel_height * self.kernel_width
        positions = self.batch * self.height * self.width
        return self.groups, positions, columns, self.channels_in // self.groups

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
        return self.batch * self.channels_out * self.out_height * self.out_width

    @property
    def reordered(self) -> tuple[int, ...]:
        return self.read - self.weights, self.written

    @property
    def features(self) -> tuple[float, ...]:
        groups, rows, columns, inner = self.products
        taps = self.kernel_height * self.kernel_width
        return (
            log(rows),
            log(columns / taps),
            log(inner),
            log(taps),
            log(groups),
            log(self.stride_height * self.stride_width),
            log(self.batch) / 2,
        )

    @property
    def relative(self) -> Convolution:
        """The convolution whose gradient it is."""
        return Convolution(
            batch=self.batch,
            channels_in=self.channels_out,
            channels_out=self.channels_in,
            height=self.out_height,
            width=self.out_width,
            kernel_height=self.kernel_height,
            kernel_width=self.kernel_width,
            stride_height=self.stride_height,
            stride_width=self.stride_width,
            padding_height=self.padding_height,
            padding_width=self.padding_width,
            dilation=self.dilation,
            groups=self.groups,
        )


@dataclass(frozen=True)
class Interpolation(Kernel):
    """A grid of `batch` x `channels` resized. `kind`: "nearest", "linear" (in both directions) or
    "cubic"."""

    kind: str
    batch: int
    channels: int
    height: int
    width: int
    out_height: int
    out_width: int

    family = "interpolation"
    layouts = True
    kinds: ClassVar[tuple[str, ...]] = ("nearest", "linear", "cubic")

    @property
    def flops(self) -> float:
        neighbours = {"nearest": 0, "linear": 4, "cubic": 16}[self.kind]
        return 2.0 * neighbours * self.written

    @property
    def read(self) -> int:
        return self.batch * self.channels * self.height * self.width

    @property
    def written(self) -> int:
        return self.batch * self.channels * self.out_height * self.out_width

    @property
    def features(self) -> tuple[float, ...]:
        return (
            *one_hot(self.kind, self.kinds),
            log(self.written),
            log(self.written / max(self.read, 1)),
            log(self.channels) / 2,
        )

    @property
    def relative(self) -> Elementwise:
        """Moving as many values."""
        return Elementwise("relu", max(self.read, self.written))
