"""The memory that a tensor is in, and how much of it: autograd returns new objects for views and
saved tensors."""

from __future__ import annotations

from math import prod
from typing import Any

import torch

from .packed import inner_tensors


def stored_elements(t: torch.Tensor) -> int:
    """Elements that a sparse tensor keeps; of any other all."""
    if t.is_nested or t.is_mkldnn:
        return t.numel()
    return (t._values() if t.layout is torch.sparse_coo else t.values()).numel()


def storage_of(t: torch.Tensor) -> int:
    """What tells apart the memory of tensors; a sparse one has its own."""
    if t.layout is not torch.strided:
        return id(t)
    storage: Any = t.untyped_storage()  # public names do not tell storages on meta apart
    return storage._cdata


def memory_of(t: torch.Tensor) -> tuple[object, ...]:
    """What tells apart the places of tensors in memory, with shape and strides."""
    if t.layout is not torch.strided:
        return (id(t),)
    return storage_of(t), t.storage_offset(), tuple(t.shape), tuple(t.stride())


def stored_as(t: torch.Tensor) -> tuple[torch.dtype, int | None]:
    """The dtype and the elements in memory. A wrapper subclass shows a shape and a dtype that it
    does not store: it takes the bytes of its inner tensors, in elements of the largest one."""
    inner = inner_tensors(t)
    if not inner:
        return t.dtype, distinct_elements(t)
    kind = max(inner, key=lambda v: v.nbytes).dtype
    return kind, -(-sum(v.nbytes for v in inner) // kind.itemsize)


def distinct_elements(t: torch.Tensor) -> int | None:
    """Elements in memory, where they are not those of the shape: of an expanded tensor one stands
    for many, of a sparse one what it keeps."""
    if t.is_nested or t.is_mkldnn:
        return None
    if t.layout is not torch.strided:
        return stored_elements(t)
    if 0 in t.stride():
        return prod(n for n, step in zip(t.shape, t.stride(), strict=True) if step)
    return None
