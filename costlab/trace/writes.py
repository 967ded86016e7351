"""What was written in place, for the tensors that share its memory: each has other values from then
on, also where the model reads it by the object that it had before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from .memory import storage_of

_SOMEWHERE = 4096  # an address, not 0
_HARD: Any = 10_000  # steps of the search for an element that two views share


@dataclass(frozen=True, slots=True)
class _Places:
    """The elements of a tensor in its memory: the first and the last place, sizes and strides."""

    first: int
    last: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def of(cls, t: torch.Tensor) -> _Places:
        first, shape, strides = int(t.storage_offset()), tuple(t.shape), t.stride()
        steps = zip(shape, strides, strict=True)
        return cls(first, first + sum((n - 1) * step for n, step in steps), shape, strides)

    def meets(self, other: _Places) -> bool:
        """Whether both have an element in common; also where that takes long to tell."""
        if self.first > other.last or other.first > self.last:
            return False
        if self == other:
            return True
        import numpy as np  # not before: the tracing core needs torch alone

        try:
            ours, theirs = np.asarray(_Array(self)), np.asarray(_Array(other))
            return np.shares_memory(ours, theirs, max_work=_HARD)
        except np.exceptions.TooHardError:
            return True


class _Array:
    """The places as an array of bytes, for numpy to compare. Nothing is there: it is not read."""

    def __init__(self, places: _Places):
        self.__array_interface__ = {
            "version": 3,
            "typestr": "|u1",
            "data": (_SOMEWHERE + places.first, True),
            "shape": places.shape,
            "strides": places.strides,
        }


class Writes:
    """The writes of a run, by memory; indices are those of its tensors."""

    def __init__(self) -> None:
        self._by_memory: dict[int, list[tuple[int, _Places]]] = {}

    def add(self, t: torch.Tensor, index: int) -> None:
        """A tensor was written, and has this index now."""
        if t.layout is torch.strided:
            self._by_memory.setdefault(storage_of(t), []).append((index, _Places.of(t)))

    def since(self, t: torch.Tensor, index: int) -> list[int]:
        """The indices that other tensors got by writes which changed a tensor, in order, since it
        got its own."""
        if not self._by_memory or t.layout is not torch.strided:
            return []
        found: list[int] = []
        own: _Places | None = None
        for after, places in reversed(self._by_memory.get(storage_of(t), ())):
            if after <= index:
                break
            own = own or _Places.of(t)
            if places.meets(own):
                found.append(after)
        return found[::-1]
