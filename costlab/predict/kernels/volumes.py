"""Kernels over volumes: 3-D convolutions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .kernel import Kernel, log
from .multiplying import Product


@dataclass(frozen=True)
class VolumeConvolution(Kernel):
    """A convolution of `batch` x `channels_in` x `depth` x `height` x `width`, `dilation` the
    largest of all axes."""

    batch: int
    channels_in: int
    channels_out: int
    depth: int
    height: int
    width: int
    kernel_depth: int
    kernel_height: int
    kernel_width: int
    stride_depth: int = 1
    stride_height: int = 1
    stride_width: int = 1
    padding_depth: int = 0
    padding_height: int = 0
    padding_width: int = 0
    dilation: int = 1
    groups: int = 1
    bias: bool = False

    family = "3-d convolution"

    @property
    def grid(self) -> tuple[int, int, int]:
        """Of the output: depth, height, width."""
        return (
            self._side(self.depth, self.kernel_depth, self.stride_depth, self.padding_depth),
            self._side(self.height, self.kernel_height, self.stride_height, self.padding_height),
            self._side(self.width, self.kernel_width, self.stride_width, self.padding_width),
        )

    def _side(self, size: int, kernel: int, stride: int, padding: int) -> int:
        return max(0, (size + 2 * padding - self.dilation * (kernel - 1) - 1) // stride + 1)

    @property
    def taps(self) -> int:
        """Of the kernel."""
        return self.kernel_depth * self.kernel_height * self.kernel_width

    @property
    def products(self) -> tuple[int, int, int, int]:
        """As by im2col: a product for each group."""
        rows, inner = self.batch * math.prod(self.grid), self.channels_in // self.groups
        return self.groups, rows, self.channels_out // self.groups, inner * self.taps

    @property
    def flops(self) -> float:
        return 2.0 * math.prod(self.products)

    @property
    def weights(self) -> int:
        groups, _, columns, inner = self.products
        return groups * columns * inner + self.bias * self.channels_out

    @property
    def read(self) -> int:
        size = self.depth * self.height * self.width
        return self.batch * self.channels_in * size + self.weights

    @property
    def written(self) -> int:
        return self.batch * self.channels_out * math.prod(self.grid)

    @property
    def reordered(self) -> tuple[int, ...]:
        return self.read - self.weights, self.written

    @property
    def features(self) -> tuple[float, ...]:
        groups, rows, columns, inner = self.products
        return (
            log(rows),
            log(columns),
            log(inner / self.taps),
            log(self.kernel_depth),
            log(self.kernel_height * self.kernel_width),
            log(groups),
            log(self.stride_depth * self.stride_height * self.stride_width),
            log(self.batch) / 2,
        )

    @property
    def relative(self) -> Product:
        """The product that it is by im2col."""
        groups, rows, columns, inner = self.products
        return Product(groups, rows, columns, inner, weighted=groups == 1)
