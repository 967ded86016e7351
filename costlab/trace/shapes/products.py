"""Rules of matrix products and of the rows that an embedding looks up."""

from __future__ import annotations

import torch
from torch import Tensor

from .registry import empty, rule


@rule("aten.mm.default")
def _mm(a: Tensor, b: Tensor) -> Tensor | None:
    return (
        empty((a.shape[0], b.shape[1]), dtype=a.dtype, device="meta")
        if a.shape[1] == b.shape[0] and a.dtype == b.dtype
        else None
    )


@rule("aten.addmm.default")
def _addmm(c: Tensor, a: Tensor, b: Tensor, **kwargs: object) -> Tensor | None:
    return _mm(a, b) if c.dtype == a.dtype and c.dim() == 1 and c.shape[0] == b.shape[1] else None


@rule("aten.bmm.default")
def _bmm(a: Tensor, b: Tensor) -> Tensor | None:
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1] or a.dtype != b.dtype:
        return None
    return empty((a.shape[0], a.shape[1], b.shape[2]), dtype=a.dtype, device="meta")


@rule("aten._grouped_mm.default")
def _grouped_mm(
    a: Tensor,
    b: Tensor,
    offs: Tensor | None = None,
    bias: Tensor | None = None,
    out_dtype: torch.dtype | None = None,
) -> Tensor | None:
    """torch's own shapes are for bfloat16 alone; its CPU kernel takes float32 too."""
    if (
        offs is not None
        and a.dim() == b.dim() == 2
        and a.shape[1] == b.shape[0]
        and a.dtype == b.dtype
    ):  # the weights' gradients
        return empty(
            (offs.shape[0], a.shape[0], b.shape[1]), dtype=out_dtype or a.dtype, device="meta"
        )
    if (
        a.dim() != 2
        or b.dim() != 3
        or a.shape[1] != b.shape[1]
        or a.dtype != b.dtype
        or offs is None
    ):
        return None
    return empty((a.shape[0], b.shape[2]), dtype=out_dtype or a.dtype, device="meta")


@rule("aten.embedding.default")
def _embedding(weight: Tensor, ids: Tensor, *args: object, **kwargs: object) -> Tensor:
    if ids.dtype not in (torch.int64, torch.int32):
        raise RuntimeError(
            f"Expected tensor for argument 'indices' to have one of the following "
            f"scalar types: Long, Int; but got {ids.dtype} instead"
        )
    return empty((*ids.shape, weight.shape[1]), dtype=weight.dtype, device="meta")
