"""The dispatch mode that records: of each operation it swaps the arguments, runs it, and logs what
it did."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import (
    TorchDispatchMode,
    _get_current_dispatch_mode_stack,  # pyright: ignore[reportPrivateUsage]
)

from . import plain_forms, values
from .higher_order import run_higher_order
from .jagged import are_jagged
from .log import OperationLog
from .modules import ModuleStack
from .operation import Call, Operator, is_composite
from .origins import Origins
from .swap import ArgumentSwap
from .tensor_table import TensorTable

_DROPOUT = nn.modules.dropout._DropoutNd  # pyright: ignore[reportPrivateUsage]
_HIGHER_ORDER = torch._ops.HigherOrderOperator  # pyright: ignore[reportPrivateUsage]


class Recorder(TorchDispatchMode):
    """Records every operation that runs while it is active.

    `failed_module`, `failed_call`: the last exception that left a module or an operation, and the
    innermost one that it left. A model may go on after it. `unseen`: a module of the model, or
    an operation, that ran in a thread whose operations are not recorded."""

    # cond, scan, flex_attention: their insides are recorded, see `higher_order`
    supports_higher_order_operators = True

    def __init__(self, model: nn.Module, device: str):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self.device = device
        self.table = TensorTable(model, device)
        self.modules = ModuleStack(model)
        self.log = OperationLog(self.table, self.modules, Origins(model))
        self.failed_module: tuple[BaseException, str] | None = None
        self.failed_call: tuple[BaseException, Call] | None = None
        self.unseen: str | None = None
        self._swap = ArgumentSwap(self.table, self.modules, self.log)
        self._operators: dict[Any, Operator] = {}
        self._thread = threading.get_ident()
        self._handled: list[BaseException | None] = []  # by the code that called each open module

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # the default wraps __torch_dispatch__ and imports dynamo: 0.35 s

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if types and are_jagged(types):
            return NotImplemented
        kwargs = kwargs or {}
        operator = self._operators.get(func)
        if operator is None:
            if isinstance(func, _HIGHER_ORDER):
                return run_higher_order(self, self.table, func, args, kwargs)
            if is_composite(func):
                with self:
                    return func.decompose(*args, **kwargs)
            if func in plain_forms.OVERLOADS:
                with self:
                    return plain_forms.OVERLOADS[func](*args, **kwargs)
            operator = self._operators[func] = Operator.of(func, self.device)
        call = Call(operator)
        args, kwargs = self._swap.arguments(call, args, kwargs)
        try:
            out = self._run(func, call, args, kwargs)
        except Exception as e:
            self.failed_call = e, call
            raise
        self.log.add(call, args, out)
        return out

    def _run(self, func: Any, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the operation gives: by its shape rule, by values that are known on `meta`, or from
        torch."""
        rule = call.operator.shape_rule
        out = rule(*args, **kwargs) if rule else None
        if out is None and self.device == "meta":
            out = values.read(func, args, kwargs)
        if out is not None:
            return out
        out = func(*args, **kwargs)
        if self.device == "meta":
            values.follow(func, args, kwargs, out)
        return out

    def begin_backward(self) -> None:
        """The forward pass is over: what runs from now on is the backward pass, in no module."""
        self.log.in_backward = True
        self.modules.open[1:] = []

    # -- modules

    def enter(self, module: nn.Module, _args: Any) -> None:
        """A module is called."""
        if self._elsewhere():
            self.unseen = self.modules.paths.get(id(module), self.unseen)
            return
        self._handled.append(sys.exc_info()[1])
        self.modules.enter(module)

    def leave(self, module: nn.Module, _args: Any, out: Any) -> None:
        """A module returns, or fails."""
        if self._elsewhere():
            return
        error, handled = sys.exc_info()[1], self._handled.pop() if self._handled else None
        known = self.failed_module[0] if self.failed_module is not None else None
        if error is not None and error is not handled and error is not known:
            self.failed_module = error, self.modules.now[0]
        if isinstance(module, _DROPOUT) and module.p and isinstance(out, torch.Tensor):
            self.log.add_dropout(module, out)
        self.modules.leave()

    def notice_elsewhere(self, name: str) -> None:
        """An operation runs in a thread that is not recorded."""
        self.unseen = self.unseen or name

    def _elsewhere(self) -> bool:
        """Whether this is a thread that is not recorded. Threads of the backward pass are."""
        if threading.get_ident() == self._thread:
            return False
        return self not in _get_current_dispatch_mode_stack()
