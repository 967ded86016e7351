"""Which module call an operation belongs to, for everything that watches a model run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, cast

import torch
from torch import nn


def registered_modules(module: nn.Module) -> dict[str, nn.Module | None]:
    """Its own children by name, as it keeps them. Not of `vars(module)`: a ScriptModule has it as a
    property."""
    return module._modules  # pyright: ignore[reportPrivateUsage]


def named_modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Every module with its path, those that are there twice under each of them. As
    `model.named_modules(remove_duplicate=False)`, for models whose attributes shadow that too."""
    stack: list[tuple[str, nn.Module, tuple[int, ...]]] = [("", model, ())]
    while stack:
        path, module, above = stack.pop()
        yield path, module
        if id(module) in above:
            continue
        children = [(name, m) for name, m in registered_modules(module).items() if m is not None]
        above = (*above, id(module))
        stack += [(f"{path}.{name}" if path else name, m, above) for name, m in reversed(children)]


def modules_by_path(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Every module once, with its first path: `model.named_modules()`, which has no types."""
    return cast("Iterator[tuple[str, nn.Module]]", model.named_modules())


def modules_of(model: nn.Module) -> list[nn.Module]:
    """Every module once, the model first."""
    return list({id(m): m for _, m in named_modules(model)}.values())


def named_tensors(model: nn.Module, *kinds: str) -> Iterator[tuple[str, torch.Tensor]]:
    """Every name of the tensors that modules register as `kinds` ("_parameters", "_buffers")."""
    for path, module in named_modules(model):
        for kind in kinds:
            for name, t in getattr(module, kind).items():
                if t is not None:
                    yield (f"{path}.{name}" if path else name), t


class ModuleStack:
    """The module calls that are open, innermost last: (path, type name, call). Calls of each module
    count from 0."""

    def __init__(self, model: nn.Module):
        self.open = [("", type(model).__name__, 0)]
        self.calls: dict[int, int] = {}
        self.paths: dict[int, str] = {}
        for name, module in named_modules(model):
            self.paths.setdefault(id(module), name)

    @property
    def now(self) -> tuple[str, str, int]:
        """The innermost call."""
        return self.open[-1]

    def enter(self, module: nn.Module) -> None:
        """A module is called."""
        key = id(module)
        call = self.calls.get(key, 0)
        self.calls[key] = call + 1
        path = self.paths.get(key)
        self.open.append((self.now[0] if path is None else path, type(module).__name__, call))

    def leave(self) -> None:
        """The innermost call returns."""
        if len(self.open) > 1:
            self.open.pop()


@contextlib.contextmanager
def hooked(
    before: Callable[[nn.Module, Any], None], after: Callable[[nn.Module, Any, Any], None]
) -> Generator[None]:
    """Every module call in the process goes through `before(module, args)` and, also when it fails,
    `after(module, args, out)`."""
    hooks = nn.modules.module
    handles = [
        hooks.register_module_forward_pre_hook(before),
        hooks.register_module_forward_hook(after, always_call=True),
    ]
    try:
        yield
    finally:
        for h in handles:
            h.remove()
