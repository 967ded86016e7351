"""The rules by the name of their overload, and the empty tensors that they give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

Outputs = torch.Tensor | tuple[torch.Tensor, ...] | None  # None: torch has to answer
Rule = Callable[..., Outputs]  # of an operation's arguments
_SomeRule = TypeVar("_SomeRule", bound=Rule)

_RULES: dict[str, Rule] = {}
empty = torch.empty


def rule(*names: str) -> Callable[[_SomeRule], _SomeRule]:
    """Register `fn(*args, **kwargs) -> tensor, tuple or None` for overloads such as
    "aten.relu.default"."""

    def register(fn: _SomeRule) -> _SomeRule:
        _RULES.update(dict.fromkeys(names, fn))
        return fn

    return register


def find(func: Any) -> Rule | None:
    """The rule of an overload, or None."""
    return _RULES.get(str(func))


def like(x: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Empty, channels-last as `x` is."""
    last = (
        len(shape) == 4
        and x.dim() == 4
        and not x.is_contiguous()
        and x.is_contiguous(memory_format=torch.channels_last)
    )
    return empty(
        shape,
        dtype=x.dtype,
        device="meta",
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )


def new(x: torch.Tensor) -> torch.Tensor:
    """Empty and contiguous, of the shape of `x`."""
    return empty(x.shape, dtype=x.dtype, device="meta")


def per_dimension(value: Sequence[int] | None, n: int, default: int = 1) -> tuple[int, ...]:
    """A window's setting for each of `n` dimensions: torch writes one for all, or none."""
    if value is None or len(value) == 0:
        return (default,) * n
    return tuple(value) * n if len(value) == 1 else tuple(value)
