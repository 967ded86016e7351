"""Which memory a tensor is in: autograd returns new objects for views and saved tensors."""

from __future__ import annotations

import torch


def stored_elements(t: torch.Tensor) -> int:
    """Elements that a sparse tensor keeps; of any other all."""
    if t.is_nested or t.is_mkldnn:
        return t.numel()
    return (t._values() if t.layout is torch.sparse_coo else t.values()).numel()


def storage_of(t: torch.Tensor) -> int:
    """What tells apart the memory of tensors; a sparse one has its own."""
    return t.untyped_storage()._cdata if t.layout is torch.strided else id(t)


def memory_of(t: torch.Tensor) -> tuple:
    """What tells apart the places of tensors in memory, with shape and strides."""
    if t.layout is not torch.strided:
        return (id(t),)
    return storage_of(t), t.storage_offset(), tuple(t.shape), tuple(t.stride())
