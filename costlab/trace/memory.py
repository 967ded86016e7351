"""Which memory a tensor is in: autograd returns new objects for views and saved tensors."""

from __future__ import annotations

from typing import Any

import torch


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
