"""A light dispatch mode: which operation of which module call runs now, with something done around
each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Sequence
from math import prod
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from ..cost import GATHERS
from ..trace.memory import storage_of
from ..trace.modules import ModuleStack, hooked
from .stats import OpPlace

# what hands a tensor on and runs nothing
_NOT_RECORDED = frozenset(("aten::detach", "aten::detach_", "aten::alias", "aten::lift_fresh"))


def _nothing_around(_: int) -> contextlib.AbstractContextManager[Any]:
    return contextlib.nullcontext()


class Watch(TorchDispatchMode):
    """Watches one run of `model`. `around(i)` is a context manager entered for the i-th operation.

    `ops` collects (name, module path, call of the module); with `sizes`, `bytes` what each read
    and wrote: its tensors, but for outputs that are views of its inputs."""

    def __init__(
        self,
        model: nn.Module,
        around: Callable[[int], contextlib.AbstractContextManager[Any]] | None = None,
        *,
        sizes: bool = False,
    ):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self.ops: list[tuple[str, str, int]] = []
        self.bytes: list[int] = []
        self._around = around or _nothing_around
        self._modules = ModuleStack(model)
        self._sizes = sizes

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # the default imports dynamo, which takes 0.35 s
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name = func._schema.name
        if name in _NOT_RECORDED or name.startswith("profiler::"):
            return func(*args, **(kwargs or {}))
        module, _, call = self._modules.now
        self.ops.append((name.replace("::", "."), module, call))
        with self._around(len(self.ops) - 1):
            out = func(*args, **(kwargs or {}))
        if self._sizes:
            self.bytes.append(
                _traffic(self.ops[-1][0], (args, kwargs), out, func._schema.is_mutable)
            )
        return out

    @contextlib.contextmanager
    def watching(self) -> Generator[Watch]:
        """The mode and the module hooks together."""
        enter, leave = self._modules.enter, self._modules.leave
        with hooked(lambda m, _: enter(m), lambda m, args, out: leave()), self:
            yield self


def same_operations(before: list[OpPlace] | None, now: list[OpPlace]) -> list[OpPlace]:
    """What two runs did, when it is the same. Raises RuntimeError when it is not."""
    if before is not None and now != before:
        raise RuntimeError(
            "the model does not run the same operations each time, so their times cannot be "
            "combined"
        )
    return now


def tensors_of(value: object) -> list[torch.Tensor]:
    """The tensors in a nested value."""
    return [t for t in pytree.tree_leaves(value) if isinstance(t, torch.Tensor)]


def bytes_of(tensors: Iterable[torch.Tensor]) -> int:
    """Bytes that tensors take in memory; what an expanded one repeats (a step of 0) counts once."""
    return sum(
        t.element_size()
        * prod(n for n, step in zip(t.shape, t.stride(), strict=True) if step or n == 0)
        for t in tensors
    )


def _traffic(name: str, given: object, out: object, writes: bool) -> int:
    """Bytes that an operation read and wrote."""
    read = list({id(t): t for t in tensors_of(given)}.values())
    given_storages = set(map(storage_of, read))
    written = tensors_of(out)
    new = [t for t in written if storage_of(t) not in given_storages]
    if written and not new and not writes:
        return 0  # a view, or nothing done
    written = new or written
    if name in GATHERS and read:
        read = read[1:] + written  # as much of the table as is put out
    return bytes_of((*read, *written))
