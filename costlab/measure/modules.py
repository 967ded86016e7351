"""Single modules alone: warm on the same buffers, cold on buffers rotated past the last cache."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree

from ..trace import ModuleTime, Timing
from ..trace.modules import named_modules
from .device import Device
from .replay import CaptureError
from .stats import timing
from .watch import bytes_of, tensors_of

BLOCKS = 7
_MOST_COPIES = 512  # of a module with weights
_MOST_INPUTS = 1024  # of a module without
_MOST_ROUNDS = 100  # of the same calls in one captured block


@dataclass(frozen=True)
class ModuleCall:
    """One call of a leaf module in a run; calling this makes it again."""

    path: str
    call: int
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self) -> Any:
        return self.module(*self.args, **self.kwargs)


@dataclass(frozen=True)
class Plan:
    """What is run in a block: `run`, `repeats` times, which is `calls` module calls each."""

    run: Callable[[], Any]
    calls: int
    repeats: int

    def seconds(self, device: Device) -> float:
        """Seconds a module call, in one block."""
        return device.seconds(self.run, self.repeats) / self.calls


def leaf_calls(model: nn.Module, call: Callable[[], Any]) -> list[ModuleCall]:
    """Every call of a module without children, in one run of the model."""
    leaves: dict[int, str] = {}
    for name, m in named_modules(model):
        if not list(m.children()):
            leaves.setdefault(id(m), name)
    counts: dict[int, int] = {}
    found: list[ModuleCall] = []

    def keep(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        n = counts[id(module)] = counts.get(id(module), -1) + 1
        found.append(ModuleCall(leaves[id(module)], n, module, args, kwargs))

    handles = [
        m.register_forward_pre_hook(keep, with_kwargs=True)
        for m in model.modules()
        if id(m) in leaves
    ]
    try:
        call()
    finally:
        for h in handles:
            h.remove()
    return found


def time_alone(
    device: Device,
    calls: Sequence[ModuleCall],
    operations: Mapping[tuple[str, int], int],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[ModuleTime]:
    """Times of each module call alone, in the order of `calls`; alike ones are measured once.

    `operations` says how many operations the call (path, call) makes."""
    cases: dict[tuple[object, ...], list[ModuleCall]] = {}
    for one in calls:
        cases.setdefault(_signature(one), []).append(one)
    draw = random.Random(0)
    times: dict[tuple[str, int], ModuleTime] = {}
    for done, alike in enumerate(cases.values()):
        progress(done, len(cases))
        first = alike[0]
        warm, cold = _warm_and_cold(device, first, draw)
        host = device.issue_seconds(first, operations.get((first.path, first.call), 1))
        for one in alike:
            times[one.path, one.call] = ModuleTime(one.path, one.call, warm, cold, host)
    return [times[one.path, one.call] for one in calls]


def _warm_and_cold(
    device: Device, one: ModuleCall, draw: random.Random
) -> tuple[Timing, Timing | None]:
    """Timings of one module, blocks of both in random order; None for cold where it is not had."""
    one()
    plans = {"warm": plan(device, [one])}
    copies = rotated(device, one)
    if copies:
        plans["cold"] = plan(device, copies)
    samples: dict[str, list[float]] = {name: [] for name in plans}
    for _ in range(BLOCKS):
        for name in draw.sample(list(plans), len(plans)):
            samples[name].append(plans[name].seconds(device))
    return timing(samples["warm"]), timing(samples["cold"]) if copies else None


def _signature(one: ModuleCall) -> tuple[object, ...]:
    """What makes two calls alike: of torch's own modules what they show of themselves and their
    tensors; a user's module may hide anything, so it is like itself alone."""
    module = one.module
    tensors = (*tensors_of((one.args, one.kwargs)), *module.parameters(), *module.buffers())
    shapes = [(tuple(t.shape), t.stride(), t.dtype) for t in tensors]
    own = 0 if _is_of_torch(module) else id(module)
    return type(module), repr(module), str(shapes), own


def _is_of_torch(module: nn.Module) -> bool:
    return type(module).__module__.startswith("torch.nn.modules")


def rotated(device: Device, one: ModuleCall) -> list[ModuleCall] | None:
    """Calls of copies of a module and its inputs, together larger than twice the last cache; None
    where so many do not fit."""
    own = (*one.module.parameters(), *one.module.buffers())
    size = bytes_of((*tensors_of((one.args, one.kwargs)), *own)) or 1
    needed = 2 * device.cache_bytes()
    n = max(2, math.ceil(needed / size) + 1)
    most = _MOST_COPIES if own else _MOST_INPUTS
    if n > most or n * size > device.free_bytes() / 8:
        n = min(most, int(device.free_bytes() / 8 / size))
        if n < 2 or n * size < needed:
            return None
    return [_copy(one) for _ in range(n)]


def _copy(one: ModuleCall) -> ModuleCall:
    """A call with tensors of its own. One of torch's modules is copied by its parameters and
    buffers, which is a hundred times faster than a deep copy."""
    args, kwargs = pytree.tree_map(_cloned, (one.args, one.kwargs))
    if not _is_of_torch(one.module):
        return ModuleCall(one.path, one.call, copy.deepcopy(one.module), args, kwargs)
    module = copy.copy(one.module)
    own = vars(module)  # as nn.Module keeps them: None for one that is registered without value
    params: dict[str, nn.Parameter | None] = own["_parameters"]
    buffers: dict[str, torch.Tensor | None] = own["_buffers"]
    own["_parameters"] = {
        name: None if p is None else nn.Parameter(p.detach().clone(), p.requires_grad)
        for name, p in params.items()
    }
    own["_buffers"] = {name: None if b is None else b.clone() for name, b in buffers.items()}
    return ModuleCall(one.path, one.call, module, args, kwargs)


def _cloned(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


@dataclass(frozen=True)
class _Chain:
    """Calls one after another. With several, each result is kept until the last, so that each
    writes to memory of its own."""

    calls: list[ModuleCall]
    rounds: int = 1

    def __call__(self) -> list[object]:
        several = len(self.calls) > 1
        results: list[object] = []
        for one in self.calls * self.rounds:
            out = one()
            if not several:
                results.clear()
            results.append(out)
        return results


def plan(device: Device, calls: Sequence[ModuleCall]) -> Plan:
    """How to time calls in blocks that are long enough: captured where the device can."""
    once = min(device.seconds(calls[0], 1) for _ in range(2))
    rounds = max(1, math.ceil(device.module_block_seconds / max(once * len(calls), 1e-7)))
    try:
        replay = device.capture(_Chain(list(calls), min(rounds, _MOST_ROUNDS)))
    except CaptureError:
        return Plan(_Chain(list(calls)), len(calls), rounds)
    took = min(device.seconds(replay, 1) for _ in range(2))
    repeats = max(1, math.ceil(device.module_block_seconds / max(took, 1e-7)))
    return Plan(replay, len(calls) * min(rounds, _MOST_ROUNDS), repeats)
