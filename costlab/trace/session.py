"""What tracing puts back afterwards: a model's tensors and attributes, and the random states."""

from __future__ import annotations

import math
import operator
import random
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .._narrow import is_mapping
from .memory import memory_of
from .modules import modules_of
from .nested import OBJECTS, SIMPLE, attributes_of, is_plain

_CONTAINERS = (dict, OrderedDict, defaultdict, Counter, list, set, deque)
_LISTS: tuple[type, ...] = (list, deque)


@dataclass(frozen=True, slots=True)
class _TensorState:
    """A tensor of the model, its data (None: not strided), whether it asked for a gradient, and
    that gradient."""

    tensor: torch.Tensor
    data: torch.Tensor | None
    requires_grad: bool
    grad: torch.Tensor | None

    @classmethod
    def of(cls, t: torch.Tensor) -> _TensorState:
        data = t.data if t.layout is torch.strided else None
        return cls(t, data, t.requires_grad, t.grad if t.is_leaf else None)

    def restore(self) -> None:
        t = self.tensor
        if self.data is not None and memory_of(t) != memory_of(self.data):
            t.data = self.data
        if t.grad_fn is not None:
            t.detach_()
        if t.requires_grad != self.requires_grad:
            t.requires_grad_(self.requires_grad)
        if t.is_leaf and t.grad is not self.grad:
            t.grad = self.grad


class Snapshot:
    """What a model is made of, to be put back: its tensors by name with their data and gradients,
    and its plain attributes, containers and objects among them with what they contained."""

    def __init__(self, model: nn.Module, *inputs: Any):
        self.modules: list[tuple[nn.Module, dict[str, Any]]] = []  # (module, its attributes)
        # id -> (container or object, what it contained)
        self.contents: dict[int, tuple[Any, Any]] = {}
        self.tensors: list[_TensorState] = []
        self.empty: list[Any] = []  # containers that were empty
        for m in modules_of(model):
            if not isinstance(m, torch.jit.ScriptModule):  # its tensors are in C++
                self._add_module(m)
        for value in inputs:
            self._add(value)

    def _add_module(self, m: nn.Module) -> None:
        own = vars(m)
        self.modules.append((m, own.copy()))
        for name in ("_parameters", "_buffers", "_modules"):
            if own[name]:
                self.contents[id(own[name])] = own[name], own[name].copy()
        for value in own.values():
            if type(value) in _CONTAINERS and not value:
                self.empty.append(value)
            elif type(value) not in SIMPLE:
                self._add(value, math.inf)
        for tensors in (m._parameters, m._buffers):  # pyright: ignore[reportPrivateUsage]
            self.tensors += [_TensorState.of(t) for t in tensors.values() if t is not None]

    def _add(self, value: Any, most: float = OBJECTS) -> None:
        """Remember what is in a container or a plain object, and in those within it, of which
        there may be very many."""
        stack: list[Any] = [value]
        tuples: set[int] = set()
        while stack:
            value = stack.pop()
            key = id(value)
            if type(value) in SIMPLE or key in self.contents:
                continue
            if type(value) is tuple:
                if key not in tuples:
                    tuples.add(key)
                    stack += value
                continue
            items = _contents(value)
            if items is not None and len(self.contents) < most + 4 * len(self.modules):
                self.contents[key] = value, items
                stack += items.values() if is_mapping(items) else items
                most = min(most, OBJECTS)

    def restore(self) -> None:
        for m, attributes in self.modules:
            vars(m).clear()
            vars(m).update(attributes)
        for container in self.empty:
            container.clear()
        for container, items in self.contents.values():
            now = _kept_in(container)
            if not _same(now, items):
                now.clear()
                (now.extend if isinstance(now, _LISTS) else now.update)(items)
        for state in self.tensors:
            state.restore()


def _kept_in(holder: Any) -> Any:
    """Where a container or a plain object has what it contains."""
    return holder if type(holder) in _CONTAINERS else attributes_of(holder)


def _contents(value: Any) -> Any:
    """A copy of what a container or a plain object has in it; None for anything else."""
    if type(value) in _CONTAINERS:
        return value.copy()
    return attributes_of(value).copy() if is_plain(value) else None


def _same(now: Any, items: Any) -> bool:
    """Whether two containers have the same objects in them."""
    if len(now) != len(items) or not all(map(operator.is_, now, items)):
        return False
    return not is_mapping(now) or all(map(operator.is_, now.values(), items.values()))


def random_state(device: str) -> Callable[[], None]:
    """A function that puts every random state back."""
    numpy = sys.modules.get("numpy")
    of_torch, of_python = torch.get_rng_state(), random.getstate()
    of_numpy = numpy.random.get_state() if numpy else None
    of_cuda = torch.cuda.get_rng_state_all() if device == "cuda" else None

    def restore() -> None:
        torch.set_rng_state(of_torch)
        random.setstate(of_python)
        if numpy is not None and of_numpy is not None:
            numpy.random.set_state(of_numpy)
        if of_cuda is not None:
            torch.cuda.set_rng_state_all(of_cuda)

    return restore
