"""Kernels over the positions of images and tokens: normalization, pooling, reductions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .kernel import Kernel, log, one_hot


@dataclass(frozen=True)
class Normalization(Kernel):
    """A normalization in evaluation mode, of `outer` x `channels` x `inner`. `kind`: "batch" (outer
    is the batch, inner the grid), "layer" (channels are normalized, inner is 1) or "group" (in
    `groups`). `strided`: the input is not stored in this order."""

    kind: str
    outer: int
    channels: int
    inner: int
    groups: int = 1
    strided: bool = False

    family = "normalization"
    layouts = True
    kinds: ClassVar[tuple[str, ...]] = ("batch", "layer", "group")

    @property
    def elements(self) -> int:
        """Of the input."""
        return self.outer * self.channels * self.inner

    @property
    def flops(self) -> float:
        return float(self.elements * (2 if self.kind == "batch" else 8))

    @property
    def read(self) -> int:
        return self.elements + 2 * self.channels

    @property
    def written(self) -> int:
        return self.elements

    @property
    def features(self) -> tuple[float, ...]:
        return (
            *one_hot(self.kind, self.kinds),
            log(self.elements),
            log(self.channels),
            log(self.inner) / 2,
            log(self.groups),
            4.0 * self.strided,
        )


@dataclass(frozen=True)
class Pooling(Kernel):
    """A pooling of `batch` x `channels` x `height` x `width`. `kind`: "max", "average", or
    "across": an average over `kernel_height` channels, as in local response normalization."""

    kind: str
    batch: int
    channels: int
    height: int
    width: int
    kernel_height: int
    kernel_width: int
    stride_height: int
    stride_width: int
    padding_height: int = 0
    padding_width: int = 0

    family = "pooling"
    layouts = True
    kinds: ClassVar[tuple[str, ...]] = ("max", "average", "across")

    @property
    def flops(self) -> float:
        return float(self.written * self.kernel_height * self.kernel_width)

    @property
    def read(self) -> int:
        return self.batch * self.channels * self.height * self.width

    @property
    def written(self) -> int:
        if self.kind == "across":
            channels = self.channels - self.kernel_height + 1
            return self.batch * channels * self.height * self.width
        rows = (self.height + 2 * self.padding_height - self.kernel_height) // self.stride_height
        columns = (self.width + 2 * self.padding_width - self.kernel_width) // self.stride_width
        return self.batch * self.channels * (rows + 1) * (columns + 1)

    @property
    def features(self) -> tuple[float, ...]:
        return (
            *one_hot(self.kind, self.kinds),
            log(self.written),
            log(self.kernel_height * self.kernel_width),
            log(self.stride_height * self.stride_width),
            log(self.channels) / 2,
            log(self.read),
        )


@dataclass(frozen=True)
class Reduction(Kernel):
    """A mean, sum or norm of `reduced` elements each, `outer` before and `inner` after them in
    memory."""

    outer: int
    reduced: int
    inner: int = 1

    family = "reduction"

    @property
    def flops(self) -> float:
        return float(self.read)

    @property
    def read(self) -> int:
        return self.outer * self.reduced * self.inner

    @property
    def written(self) -> int:
        return self.outer * self.inner

    @property
    def features(self) -> tuple[float, ...]:
        return log(self.outer), log(self.reduced), log(self.inner), 2.0 * (self.inner > 1)
