"""Which models a training step calls, and on what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
import torch._C
from torch import nn
from torch.utils.hooks import RemovableHandle

from .step_cost import Call, as_written


class Calls:
    """The outermost calls of some modules in a training step, while it listens.

    Nothing is noted of a backward pass that recomputes activations, nor inside compiled code. Once
    a module has been called from outside, the hooks on what is inside it are removed.

    Args:
        modules: to listen to.
        traced: a module -> the one that is traced for it, such as that within a compiled one.
    """

    def __init__(
        self, modules: Iterable[nn.Module], traced: Mapping[nn.Module, nn.Module] | None = None
    ):
        self._listening = False
        self._found: list[Call] = []
        self._traced = dict(traced or {})
        self._running: list[bool] = []  # the calls that have not returned; False: one to skip
        self._to_skip: nn.Module | None = None
        self._trained: dict[int, int] = {}
        self._hooks = {m: self._hook(m) for m in dict.fromkeys(modules)}

    def listen(self, skip: nn.Module | None = None) -> None:
        """Note calls from now on. `skip`: a wrapper makes the first call of this module to run
        another method, which is not a call of the model."""
        self._listening, self._to_skip = True, skip
        self._found, self._running = [], []

    def stop(self) -> list[Call]:
        """Note no more calls; those since `listen`."""
        self._listening, found = False, self._found
        self._found = []
        for call in found:
            self._unhook_inside(call.module)
        return found

    def look_up_trained(self) -> None:
        """Params may have been frozen or unfrozen: look up again which are trained."""
        self._trained.clear()

    def remove(self) -> None:
        """Remove all hooks."""
        self._listening = False
        for module in list(self._hooks):
            self._unhook(module)

    def _hook(self, module: nn.Module) -> tuple[RemovableHandle, RemovableHandle]:
        return (
            module.register_forward_pre_hook(self._enter, with_kwargs=True),
            module.register_forward_hook(self._leave, always_call=True),
        )

    def _unhook(self, module: nn.Module) -> None:
        for handle in self._hooks.pop(module, ()):
            handle.remove()

    def _unhook_inside(self, called: nn.Module) -> None:
        for inside in called.modules():
            if inside is not called and inside not in self._traced:
                self._unhook(inside)

    def _enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if torch.compiler.is_compiling() or not self._listening or _in_backward():
            return
        skipped = module is self._to_skip
        if skipped:
            self._to_skip = None
        elif not any(self._running):
            model = self._traced.get(module, module)
            self._found.append(Call.of(model, args, kwargs, self._trained_params(model)))
        self._running.append(not skipped)

    def _leave(self, module: nn.Module, args: Any, out: Any) -> None:
        if torch.compiler.is_compiling() or not self._listening or _in_backward():
            return
        if self._running:
            self._running.pop()

    def _trained_params(self, model: nn.Module) -> int:
        """A number for which params are trained."""
        if id(model) not in self._trained:
            self._trained[id(model)] = hash(tuple(p.requires_grad for p in model.parameters()))
        return self._trained[id(model)]


def _in_backward() -> bool:
    """Whether this runs for a node of a backward pass."""
    current: Callable[[], object] = vars(torch._C)["_current_autograd_node"]  # typed as never None
    return current() is not None


def outside_compiled(model: nn.Module) -> Iterator[nn.Module]:
    """The modules of a model, except those inside a compiled one."""
    yield model
    if as_written(model) is model:
        for child in model.children():
            yield from outside_compiled(child)
