"""The arguments that an operation is run with: stand-ins in the place of the model's own tensors,
and what the operation reads and writes noted on its call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .log import OperationLog
from .modules import ModuleStack
from .operation import Call, attribute
from .packed import is_packed, window
from .tensor_table import TensorTable


class ArgumentSwap:
    """Swaps the arguments of one operation after the other."""

    def __init__(self, table: TensorTable, modules: ModuleStack, log: OperationLog):
        self._table = table
        self._log = log
        self._modules = modules
        self._on_meta = table.device == "meta"

    def arguments(
        self, call: Call, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with stand-ins; inputs, params and attributes go to `call`."""
        names = call.operator.arguments
        swapped = tuple(self._argument(call, n, a) for n, a in zip(names, args, strict=False))
        by_name = {name: self._argument(call, name, a) for name, a in kwargs.items()}
        if not call.inputs and self._on_meta and by_name.get("device") is not None:
            # what a model makes for itself is made where it is traced
            by_name["device"] = torch.device("meta")
        return swapped, by_name

    def _argument(self, call: Call, name: str, value: Any) -> Any:
        before = len(call.inputs)
        new = self._value(call, value, name in call.operator.written)
        if len(call.inputs) == before and value is not None:
            call.attrs[name] = attribute(value)
        return new

    def _value(self, call: Call, value: Any, written: bool) -> Any:
        if isinstance(value, torch.Tensor):
            return self._tensor(call, value, written)
        if type(value) in (list, tuple) and any(isinstance(v, torch.Tensor) for v in value):
            return type(value)(self._value(call, v, written) for v in value)
        if is_packed(value):
            self._use_packed(call, value, self._modules.now[0].removesuffix("._packed_params"))
        elif type(value) in (list, tuple) and any(map(is_packed, value)):
            for i, one in enumerate(value):  # a recurrent layer in one direction each
                self._use_packed(call, one, f"{self._modules.now[0]}._all_weight_values.{i}")
        return value

    def _use_packed(self, call: Call, value: torch.ScriptObject, path: str) -> None:
        """A quantized layer's packed weight and bias are inputs as any other layer's are."""
        call.attrs.update(window(value))
        for outside in self._table.packed(value, path, before=call.params):
            call.note(outside)

    def _tensor(self, call: Call, t: torch.Tensor, written: bool) -> torch.Tensor | None:
        index = self._table.index_by_memory(t)
        if index is None:
            return self._outside(call, t, written)
        call.note_sparse(t)
        call.inputs.append(self._log.current(t, index))
        if written:
            self._table.own_memory.keep(t)
            call.written.append(t)
        return t

    def _outside(self, call: Call, t: torch.Tensor, written: bool) -> torch.Tensor | None:
        """The stand-in of a tensor that the run did not make."""
        outside = self._table.add_outside(t)
        if written:
            if outside.stand_in is t:
                outside.stand_in = t.detach().clone()
            call.written.append(outside)
        if not self._on_meta:
            call.note_sparse(t)
        call.note(outside)
        return outside.stand_in
