"""Memory of the model's own that kernels read where it is: what a run writes to it through a view
is put back."""

from __future__ import annotations

import torch

from .memory import storage_of


class OwnMemory:
    """The storages that a run reads in place, and what was in those that it wrote."""

    def __init__(self):
        self._read: set[int] = set()
        self._before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def add(self, t: torch.Tensor) -> None:
        """A tensor of the model is read where it is."""
        if t.device.type != "meta" and t.layout is torch.strided:
            self._read.add(storage_of(t))

    def keep(self, t: torch.Tensor) -> None:
        """Before `t` is written: keep what is there, where it is a view of the model's own
        memory."""
        if not self._read or t.layout is not torch.strided or t.device.type == "meta":
            return
        key = storage_of(t)
        if key in self._read and key not in self._before:
            storage = t.untyped_storage()
            self._before[key] = storage, storage.clone()

    def restore(self) -> None:
        """Put back what was written."""
        for storage, before in self._before.values():
            storage.copy_(before)
