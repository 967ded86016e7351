"""torch operations of costlab's own, in the namespace `onnx`: a trace records them by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import torch

P = ParamSpec("P")
R = TypeVar("R")

_LIBRARY = torch.library.Library("onnx", "FRAGMENT")


def is_defined(name: str) -> bool:
    """Whether the namespace has something of this name."""
    return hasattr(torch.ops.onnx, name)


def define(schema: str, compute: Callable[P, R]) -> Callable[P, R]:
    """The operation of a schema such as "integer_product(Tensor a, Tensor b) -> Tensor"."""
    name = schema.partition("(")[0]
    _LIBRARY.define(schema)  # pyright: ignore[reportUnknownMemberType] torch has no types here
    _LIBRARY.impl(name, compute, "CompositeExplicitAutograd")  # pyright: ignore[reportUnknownMemberType]
    return cast("Callable[P, R]", getattr(torch.ops.onnx, name))
