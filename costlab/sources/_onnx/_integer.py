"""Integer products as operations of their own: a trace has them as quantized layers, with integer
multiply-adds, and what they compute is computed in floating point, exactly or as rounded there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor

from ._library import define

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def _convolution(  # noqa: PLR0917  (the schema of the operation)
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Tensor:
    return _CONVOLUTIONS[w.dim() - 2](x, w, b, list(stride), list(padding), list(dilation), groups)


def _product(a: Tensor, b: Tensor) -> Tensor:
    return torch.matmul(a, b).clone()


convolution = define(
    "integer_convolution(Tensor x, Tensor w, Tensor? b, int[] stride, int[] padding, "
    "int[] dilation, int groups) -> Tensor",
    _convolution,
)
product = define("integer_product(Tensor a, Tensor b) -> Tensor", _product)
