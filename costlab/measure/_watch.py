"""A light dispatch mode: which operation of which module call runs now, with something done around each."""

from __future__ import annotations

import contextlib
from math import prod

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from ..cost import GATHERS
from ..trace._modules import ModuleStack, hooked

_SILENT = frozenset(("aten::detach", "aten::detach_", "aten::alias", "aten::lift_fresh"))


def _stored(t) -> int:
    """Bytes of a tensor in memory: an expanded one shows some of them many times."""
    return t.element_size() * prod(n for n, step in zip(t.shape, t.stride()) if step or n == 0)


def _traffic(name, given, out, writes) -> int:
    read = {id(t): t for t in pytree.tree_leaves(given) if isinstance(t, torch.Tensor)}.values()
    home = {t.untyped_storage()._cdata for t in read}
    written = [t for t in pytree.tree_leaves(out) if isinstance(t, torch.Tensor)]
    made = [t for t in written if t.untyped_storage()._cdata not in home]
    if written and not made and not writes:
        return 0  # a view, or nothing done
    written = made or written
    if name in GATHERS and read:
        read = list(read)[1:] + written  # as much of the table as is put out
    return sum(_stored(t) for t in (*read, *written))


class Watch(TorchDispatchMode):
    """`around(i)` is a context manager entered for the i-th operation; `ops` collects (name, module path, call), and with `sizes` `bytes`
    what each read and wrote: its tensors, but for outputs that are views of its inputs."""

    def __init__(self, model, around=lambda i: contextlib.nullcontext(), sizes=False):
        super().__init__()
        self.around, self.ops, self.modules, self.sizes, self.bytes = (
            around,
            [],
            ModuleStack(model),
            sizes,
            [],
        )

    @classmethod
    def _should_skip_dynamo(cls):
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name
        if name in _SILENT or name.startswith("profiler::"):
            return func(*args, **(kwargs or {}))
        module, _, call = self.modules.now
        self.ops.append((name.replace("::", "."), module, call))
        with self.around(len(self.ops) - 1):
            out = func(*args, **(kwargs or {}))
        if self.sizes:
            self.bytes.append(
                _traffic(self.ops[-1][0], (args, kwargs), out, func._schema.is_mutable)
            )
        return out

    @contextlib.contextmanager
    def watching(self):
        """The mode and the module hooks together."""
        with hooked(lambda m, _: self.modules.enter(m), lambda m, *_: self.modules.leave()), self:
            yield self
