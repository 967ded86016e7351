"""What the measuring protocol asks of a device, and how one is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn

from ..trace import TraceError
from ..trace.facts import Machine, Sample
from .kernels import InPlace
from .replay import Replay

DTYPES = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


class MeasureError(TraceError):
    """The model cannot be measured so; the message says why and what to try."""


class Device(Protocol):
    """A device that can be measured on. Times in seconds, memory in bytes."""

    kind: str  # as torch names it
    method: str  # how the whole model's time is taken
    warmups: int  # calls before anything is timed
    fewest_calls: int  # in a block
    block_seconds: float  # that a block of the whole model lasts at least
    module_block_seconds: float  # that a block of one module lasts at least
    notes: list[str]  # what a reader must know

    def describe(self) -> Machine:
        """What ran: the device's name and what its speed depends on."""
        ...

    def sample(self) -> Sample:
        """Clocks, power and temperature, or the load, at this moment."""
        ...

    def joules(self) -> float | None:
        """The energy that the device has used so far; None where it does not count it."""
        ...

    def steady(self, before: Sample, after: Sample) -> bool:
        """Whether a block between two samples may be kept."""
        ...

    def cache_bytes(self) -> int:
        """The size of the last cache."""
        ...

    def free_bytes(self) -> int:
        """Memory to be had."""
        ...

    def seconds(
        self, fn: Callable[[], Any], calls: int, meanwhile: Callable[[], Any] | None = None
    ) -> float:
        """Seconds a call, over `calls` calls; `meanwhile` runs while the device works."""
        ...

    def capture(self, fn: Callable[[], Any]) -> Replay:
        """`fn`, to be replayed without the host's work. Raises CaptureError when it cannot be."""
        ...

    def issue_seconds(self, fn: Callable[[], Any], operations: int) -> float:
        """Seconds that the host takes to issue `fn`, of so many operations."""
        ...

    def in_place(
        self, model: nn.Module, call: Callable[[], Any], replay: Replay | None
    ) -> tuple[list[tuple[str, str, int]], InPlace]:
        """The operations of one call, as (name, module path, call of the module), and their
        times."""
        ...

    def memory(
        self, model: nn.Module, call: Callable[[], Any]
    ) -> tuple[dict[int, tuple[int, int]], int]:
        """By operation (bytes after it, most bytes during it), and the most bytes of all, beyond
        what was allocated before the call."""
        ...


def find_device(name: str) -> Device:
    """The device "cuda", "cpu", or the better one for "auto". Raises MeasureError for another."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "meta":
        raise MeasureError("meta tensors take no time; measure on cuda or cpu")
    if name not in ("cuda", "cpu"):
        raise MeasureError(f"unknown device {name!r}; measure on cuda or cpu")
    if name == "cpu":
        from .cpu import Cpu

        return Cpu()
    if not torch.cuda.is_available():
        raise MeasureError(
            "device cuda was asked for, but torch sees no CUDA device; use --device cpu"
        )
    from .cuda import Cuda

    return Cuda()
