"""Operators that take functions (`cond`, `scan`, `flex_attention`), run by their plain form with
the operations inside recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch._C import DispatchKey
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from .tensor_table import TensorTable


def run_higher_order(
    recorder: TorchDispatchMode,
    table: TensorTable,
    func: Any,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """The result of the operator `func`; `recorder` is what its operations are recorded by."""
    if func is torch.ops.higher_order.cond:
        with recorder:  # which knows values on meta too
            pred, yes, no, operands = args
            return (yes if pred else no)(*operands)
    # attention does its products itself, the others (scan, while_loop) leave all work to the
    # functions
    attention = "flex_attention" in func.name()

    def ready(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            known = table.index_of(value) is not None
            return value if known else table.add_outside(value).stand_in
        return _recorded(recorder, value) if callable(value) and not attention else value

    args, kwargs = pytree.tree_map(ready, (args, kwargs))
    with recorder if attention else contextlib.nullcontext():
        return func.py_kernels[DispatchKey.CompositeExplicitAutograd](*args, **kwargs)


def _recorded(recorder: TorchDispatchMode, fn: Callable[..., Any]) -> Callable[..., Any]:
    """`fn`, under the recorder."""

    def inside(*args: Any, **kwargs: Any) -> Any:
        with recorder:
            return fn(*args, **kwargs)

    return inside
