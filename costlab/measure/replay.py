"""A call that was captured once and is replayed without the host's work.

A graph reads the memory that its kernels read when they were captured, and knows nothing of who
owns it. So a `Replay` owns all of it: what the captured function refers to (modules, inputs), what
it returned, and every tensor that an operation read and that was made before the capture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from ..trace.memory import storage_of


class CaptureError(RuntimeError):
    """The device cannot capture the call; the message says why."""


class Graph(Protocol):
    """What `torch.cuda.CUDAGraph` is to us; a test has its own."""

    def capture_begin(self, *, capture_error_mode: str) -> None:
        """From now on kernels are recorded."""

    def capture_end(self) -> None:
        """No longer."""

    def replay(self) -> None:
        """Run the recorded kernels again."""


@dataclass(frozen=True)
class Replay:
    """A captured call, to be replayed by calling it. While it lives, so does all that it reads."""

    graph: Graph
    function: Callable[[], Any]
    output: Any
    reads: tuple[torch.Tensor, ...]

    def __call__(self) -> None:
        self.graph.replay()


def record(graph: Graph, fn: Callable[[], Any]) -> Replay:
    """What `fn` runs, recorded into `graph`. Raises what `fn` and the graph raise."""
    reads = ReadTensors()
    graph.capture_begin(capture_error_mode="thread_local")
    try:
        with reads:
            output = fn()
    finally:
        graph.capture_end()
    return Replay(graph, fn, output, reads.tensors)


class ReadTensors(TorchDispatchMode):
    """Collects the tensors that operations read and that none of them made: `tensors`."""

    def __init__(self):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self._read: dict[int, torch.Tensor] = {}
        self._outside: set[int] = set()  # storages of what was read
        self._made: set[int] = set()  # storages of results: the graph's own memory

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # the default imports dynamo, which takes 0.35 s
        return False

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """What was read, in the order of the first read."""
        return tuple(self._read.values())

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        for t in _tensors((args, kwargs)):
            if storage_of(t) not in self._made:
                self._read[id(t)] = t
                self._outside.add(storage_of(t))
        out = func(*args, **(kwargs or {}))
        # what is written in place, or is a view, is still memory from outside
        self._made |= {storage_of(t) for t in _tensors(out)} - self._outside
        return out


def _tensors(value: Any) -> list[torch.Tensor]:
    return [t for t in pytree.tree_leaves(value) if isinstance(t, torch.Tensor)]
