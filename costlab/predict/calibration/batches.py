"""Kernels of one image as they are in a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..kernels import Elementwise, Kernel, Product


def in_batch(kernel: Kernel, images: int) -> Kernel:
    """A kernel of a network that takes one image, in one that takes several."""
    return _BATCHED[kernel.family](kernel, images) if images > 1 else kernel


def _times(name: str) -> Callable[[Any, int], Kernel]:
    """The size of that name, so many times."""
    return lambda kernel, images: replace(kernel, **{name: getattr(kernel, name) * images})


def _product(kernel: Product, images: int) -> Kernel:
    name = "rows" if kernel.batch == 1 else "batch"
    return _times(name)(kernel, images)


def _elementwise(kernel: Elementwise, images: int) -> Kernel:
    """A second operand of the same size grows with it, one for each channel does not."""
    second = kernel.second * (images if kernel.second == kernel.elements else 1)
    return replace(kernel, elements=kernel.elements * images, second=second)


_BATCHED: dict[str, Callable[[Any, int], Kernel]] = {
    "convolution": _times("batch"),
    "depthwise convolution": _times("batch"),
    "product": _product,
    "normalization": _times("outer"),
    "pooling": _times("batch"),
    "reduction": _times("outer"),
    "elementwise": _elementwise,
    "softmax": _times("rows"),
    "concatenation": _times("outer"),
    "copy": _times("elements"),
    "attention": _times("batch"),
    "transposed convolution": _times("batch"),
    "3-d convolution": _times("batch"),
    "interpolation": _times("batch"),
    "recurrent": _times("batch"),
    "lookup": _times("rows"),
}
