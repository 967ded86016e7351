"""The tensors of one run: their indices, and stand-ins for those that the run did not make.

Tensors that belong to the model (parameters, buffers, plain attributes) are never given to a kernel
that writes them: on another device a stand-in replaces them, on the same device anything that is
written is cloned first. So the model is left as it was, and a CPU model can be traced on `meta` or
CUDA without moving it.
"""

from __future__ import annotations

import itertools
from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from . import values
from .jagged import map_parts, refuse_strided
from .memory import memory_of, storage_of, stored_as
from .modules import named_tensors
from .own_memory import OwnMemory
from .packed import packed_modules, reordered_tensors, unpacked
from .record import Param, Tensor, TraceError

_RUNS = itertools.count(1)
_TENSORS_A_RUN = 1 << 32
_NEEDS_VALUES = {
    "oneDNN": "oneDNN's layout has no form without values, so the model needs real values: trace "
    "it with device cpu",
    "sparse": "sparse tensors are counted by their values, so the model needs real values: trace "
    "it with device cpu",
}


@dataclass(slots=True)
class Outside:
    """A tensor that the run did not make: the model's own, or a constant.

    `original` is kept alive, so that its id stays its own. `index` in the trace's tensors changes
    when it is written. `param`: its index in the trace's params, None for another tensor.
    `stand_in`: what kernels get in its place."""

    original: torch.Tensor
    index: int
    param: int | None = None
    stand_in: torch.Tensor | None = None


@dataclass(slots=True)
class _Parameter:
    """A parameter of the model, every name that it is registered by, and its tensor's index."""

    original: nn.Parameter
    names: list[str]
    tensor: int


class TensorTable:
    """Gives each tensor of a run its index. A tensor carries a tag, the run's number and its index,
    so that one that outlives a run is outside of another."""

    def __init__(self, model: nn.Module, device: str):
        self.device = device
        self.base = next(_RUNS) * _TENSORS_A_RUN
        self.tensors: list[Tensor] = []
        self.parameters: list[_Parameter] = []
        self.outside: dict[int, Outside] = {}
        # for the backward pass: autograd hands out new objects for views and saved tensors, so
        # tensors are known by their memory
        self.by_memory: dict[tuple[object, ...], int] | None = None
        self.own_memory = OwnMemory()
        self._packed: dict[tuple[object, ...], list[list[Outside]]] = {}
        self._add_parameters(model)
        for path, value in packed_modules(model):
            self.add_packed(value, path)
        for name, t in reordered_tensors(model):
            self._add_parameter(t, name)

    def _add_parameters(self, model: nn.Module) -> None:
        found: dict[int, _Parameter] = {}
        for name, p in named_tensors(model, "_parameters"):
            if id(p) in found:
                found[id(p)].names.append(name)
            else:
                found[id(p)] = self._add_parameter(p, name)

    def _add_parameter(self, p: Any, name: str) -> _Parameter:
        index = self.add(p)
        self.outside[id(p)] = Outside(p, index, len(self.parameters))
        self.parameters.append(_Parameter(p, [name], index))
        return self.parameters[-1]

    def add_packed(self, value: Any, path: str) -> list[Outside]:
        """The weights and biases that the quantized layer at `path` packs: they count as its
        parameters."""
        tensors = unpacked(value)
        for name, t in tensors:
            self._add_parameter(t, f"{path}.{name}" if path else name)
        added = [self.outside[id(t)] for _, t in tensors]
        self._packed.setdefault(_packed_key(path, tensors), []).append(added)
        return added

    def packed(self, value: Any, path: str, before: Container[int | None]) -> list[Outside]:
        """What `add_packed` gave for it. Each call gets another object, so it is known by path and
        shapes; of several alike (a cell whose input is as wide as its state) it is the first whose
        parameters are not among `before`, those that the call has used already."""
        for known in self._packed.get(_packed_key(path, unpacked(value)), ()):
            if all(outside.param not in before for outside in known):
                return known
        return self.add_packed(value, path)

    def params(self) -> tuple[Param, ...]:
        """The parameters as a trace has them."""
        return tuple(
            Param(
                tuple(p.names),
                self.tensors[p.tensor].shape,
                self.tensors[p.tensor].dtype,
                p.tensor,
                p.original.requires_grad,
            )
            for p in self.parameters
        )

    def index_of(self, t: torch.Tensor) -> int | None:
        """The index of a tensor that this run has made or was given; None for another."""
        tag = getattr(t, "_costlab", None)
        if tag is not None and self.base <= tag < self.base + _TENSORS_A_RUN:
            return tag - self.base
        return None

    def index_by_memory(self, t: torch.Tensor) -> int | None:
        """As `index_of`, also for an object that autograd made for the same memory."""
        index = self.index_of(t)
        if index is None and self.by_memory is not None and id(t) not in self.outside:
            index = self.by_memory.get(memory_of(t))
        return index

    def mark(self, t: Any, index: int) -> Any:
        """Give a tensor an index; the tensor."""
        t._costlab = self.base + index  # an attribute that torch does not declare
        return t

    def mark_made(self, t: torch.Tensor, index: int) -> None:
        """Give a tensor that an operation has made an index."""
        self.mark(t, index)
        if self.by_memory is not None:
            self.by_memory[memory_of(t)] = index

    def follow(self, t: torch.Tensor, source: torch.Tensor) -> None:
        """A parameter that the run makes of a tensor of its own is that tensor."""
        index = self.index_of(source)
        if index is not None:
            self.mark_made(t, index)

    def add(self, t: torch.Tensor) -> int:
        """A new index for a tensor as it is now. Raises TraceError for one that has no shape."""
        if t.is_nested:
            refuse_strided(t)
        kind, distinct = stored_as(t)
        self.tensors.append(Tensor(tuple(t.shape), str(kind).removeprefix("torch."), distinct))
        return len(self.tensors) - 1

    def set_dtype(self, index: int, dtype: str) -> None:
        """Record a tensor as of another dtype than it has on this device."""
        self.tensors[index] = replace(self.tensors[index], dtype=dtype)

    def add_input(self, t: torch.Tensor, trained: bool = False) -> torch.Tensor:
        """What the model gets in the place of an input: never the caller's memory."""
        given = self.stand_in(t.detach())
        if given is t or (given.device.type != "meta" and storage_of(given) == storage_of(t)):
            given = given.clone()
        if self.device == "meta":
            values.give(given, t)
        return self.mark(given.requires_grad_(trained and t.requires_grad), self.add(given))

    def stand_in(self, t: torch.Tensor) -> torch.Tensor:
        """The tensor itself where it is on the tracing device, otherwise one in its place."""
        if t.device.type == self.device:
            return t
        if t.is_nested:
            refuse_strided(t)
            return map_parts(lambda part: self.add_outside(part).stand_in, t)
        if t.layout is not torch.strided:
            if self.device == "meta":
                raise TraceError(_NEEDS_VALUES["oneDNN" if t.is_mkldnn else "sparse"])
            return t.detach().to(self.device)
        if self.device == "meta":
            return torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="meta")
        if t.device.type == "meta":
            return torch.zeros(t.shape, dtype=t.dtype, device=self.device)
        return t.detach().to(self.device)

    def add_outside(self, t: torch.Tensor) -> Outside:
        """The record of a tensor that the run did not make, with its stand-in."""
        found = self.outside.get(id(t))
        if found is None:
            if isinstance(t, nn.Parameter):
                self._add_parameter(t, f"(unregistered {len(self.parameters)})")
            else:
                self.outside[id(t)] = Outside(t, self.add(t))
            found = self.outside[id(t)]
        if found.stand_in is None:
            found.stand_in = self.stand_in(t)
            if found.stand_in is t:
                self.own_memory.add(t)
            if self.device == "meta" and t.device.type == "cpu":
                values.give(found.stand_in, t)
        return found

    def clone_to_write(self, outside: Outside) -> None:
        """Before something of the model's is written: its stand-in is a copy."""
        if outside.stand_in is outside.original:
            outside.stand_in = outside.original.detach().clone()


def _packed_key(path: str, tensors: tuple[tuple[str, torch.Tensor], ...]) -> tuple[object, ...]:
    return path, *(tuple(t.shape) for _, t in tensors)
