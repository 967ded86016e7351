"""The log of a run: each operation that has run becomes an `Op`, and what it made gets indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree

from . import values
from .backward import ForwardOps, wanted_gradients
from .canonical import (
    ALL_GRADIENTS,
    NUMBER,
    Form,
    canonical,
    first_shown,
    makes_nothing,
    spreads_number,
    statistics,
)
from .modules import ModuleStack
from .operation import Call, Place, only_moves
from .origins import Origin, Origins
from .record import Op
from .tangents import KnownZeros
from .tensor_table import Outside, TensorTable
from .writes import Writes


class OperationLog:
    """The operations of a run, in the order in which they ran.

    `forward_ops`: those of the forward pass by autograd's numbers, where the backward pass is to be
    traced too; `in_backward`: it has begun."""

    def __init__(self, table: TensorTable, modules: ModuleStack, origins: Origins):
        self.ops: list[Op] = []
        self.forward_ops: ForwardOps | None = None
        self.in_backward = False
        self._table = table
        self._modules = modules
        self._origins = origins
        self._on_meta = table.device == "meta"
        self._numbers: set[int] = set()  # tensors that stand for Python numbers
        self._zeros = KnownZeros()
        self._writes = Writes()

    def current(self, t: torch.Tensor, index: int) -> int:
        """The index of a tensor that is read, which had `index`: another one where its memory was
        written since."""
        if self.in_backward:  # autograd refuses to read what was written
            return index
        for after in self._writes.since(t, index):
            before, index = index, self._table.add(t)
            self._append(Form("costlab.write", (before, after), (index,), {}), self._place())
            self._table.mark_made(t, index)
        return index

    def add(self, call: Call, args: Sequence[Any], out: Any) -> None:
        """An operation has run on `args` and gave `out`."""
        if spreads_number(call.operator.name, call.inputs, self._numbers):
            self._table.mark(out, call.inputs[0])
            return
        recorded = call.operator.recorded and not only_moves(call, args, out)
        outputs = self._add_outputs(call, out, recorded)
        if recorded:
            self._record(call, outputs)

    def add_dropout(self, module: nn.Module, out: torch.Tensor) -> None:
        """A dropout layer has returned: nothing in evaluation, some elementwise work in training;
        the papers' tables list it."""
        index = self._table.index_of(out)
        if index is not None:
            form = Form("costlab.dropout", (index,), (index,), {"p": module.p})
            self._append(form, self._place())

    # -- what an operation made

    def _add_outputs(self, call: Call, out: Any, recorded: bool) -> list[int]:
        """Give what an operation made its indices; those that are its outputs, where it is
        recorded."""
        outputs: list[int] = []
        for t in (out,) if isinstance(out, torch.Tensor) else pytree.tree_leaves(out):
            if not isinstance(t, torch.Tensor):
                continue
            if self._on_meta and t.device.type != "meta" and call.inputs:
                if isinstance(out, tuple) or call.operator.name == "aten._to_copy":
                    index = self._add_known_value(t, None if recorded else call.inputs[0])
                    outputs += [index] if recorded else []
            elif not recorded and call.inputs:
                self._table.mark(t, call.inputs[0])
            else:
                outputs.append(self._add_output(call, t))
        return outputs

    def _add_known_value(self, t: torch.Tensor, index: int | None) -> int:
        """A value that is known: on the CPU for Python, and on `meta` as it was."""
        index = self._table.add(t) if index is None else index
        on_meta = torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="meta")
        values.give(on_meta, t)
        self._table.outside[id(t)] = Outside(t, index, None, self._table.mark(on_meta, index))
        return index

    def _add_output(self, call: Call, t: torch.Tensor) -> int:
        index = self._table.add(t)
        for outside in call.written:
            if isinstance(outside, Outside) and outside.stand_in is t:
                outside.index = index
                return index
        self._table.mark_made(t, index)
        return index

    # -- the operation

    def _record(self, call: Call, outputs: list[int]) -> None:
        name, tensors = call.operator.name, self._table.tensors
        if makes_nothing(name, [tensors[i] for i in outputs]):
            if name == NUMBER:
                self._numbers.update(outputs)
            return
        if name in ALL_GRADIENTS:
            call.attrs["output_mask"] = wanted_gradients(len(outputs))
        place = self._place()
        if self.forward_ops is not None and not self.in_backward:
            self.forward_ops.add(name, len(self.ops))
        if name == "aten.copy_" and self.forward_ops is None:
            call.inputs[-1] = self._taken_back(call.inputs[-1])
        form = Form(name, tuple(call.inputs), tuple(outputs), call.attrs)
        form = self._zeros.follow(canonical(form, tensors, self._numbers))
        for i in statistics(form, tensors):
            self._table.set_dtype(i, "float32")
        self._append(form, place, tuple(call.params))
        for written in call.written:
            self._note_write(written)
            if isinstance(written, torch.Tensor) and written._base is not None:
                self._record_write(written, written._base, place)

    def _append(self, form: Form, place: Place, params: tuple[int, ...] = ()) -> None:
        origin = self._origin(place)
        self.ops.append(
            Op(
                name=form.name,
                module=place.module,
                module_type=place.module_type,
                call=place.call,
                inputs=form.inputs,
                outputs=form.outputs,
                params=params,
                attrs=form.attrs,
                of=place.of,
                recomputed=place.recomputed,
                source=origin.source,
                node=origin.node,
            )
        )

    def _taken_back(self, source: int) -> int:
        """What `x[i] = value` copies: on the CPU a value without dimensions fills, elsewhere it is
        viewed and expanded first, which is no work and is taken back here."""
        shown = first_shown(self.ops[-2:], source, self._table.tensors)
        if shown is None:
            return source
        del self.ops[-2:]
        return shown

    def _note_write(self, written: torch.Tensor | Outside) -> None:
        outside = isinstance(written, Outside)
        t = written.stand_in if outside else written
        index = written.index if outside else self._table.index_of(written)
        if t is not None and index is not None:
            self._writes.add(t, index)

    def _record_write(self, view: torch.Tensor, base: torch.Tensor, place: Place) -> None:
        """A view was written: what it is a view of has changed too, and comes from both from now
        on."""
        before, after = self._table.index_of(base), self._table.index_of(view)
        outside = self._table.outside.get(id(base)) if before is None else None
        if outside is not None:
            before = outside.index
        if after is None or before is None:
            return
        index = self._table.add(base)
        self._append(Form("costlab.write", (before, after), (index,), {}), place)
        if outside is not None:
            outside.index = index
        else:
            self._table.mark_made(base, index)

    # -- where it belongs

    def _place(self) -> Place:
        """Where the operation that has just run is recorded."""
        if not self.in_backward:
            return Place(*self._modules.now)
        assert self.forward_ops is not None, "a backward pass follows a recorded forward pass"
        of = self.forward_ops.of_current_node()
        # autograd works without gradients; a checkpoint turns them on to run its part again
        recomputed = torch.is_grad_enabled()
        if of < 0:
            return Place(*self._modules.now, of, recomputed)
        forward = self.ops[of]
        return Place(forward.module, forward.module_type, forward.call, of, recomputed)

    def _origin(self, place: Place) -> Origin:
        """Where the operation comes from; in the backward pass, where it runs no code of the
        model's, that of the operation whose gradient it works out."""
        origin = self._origins.now()
        if origin.source is None and place.of is not None and place.of >= 0:
            return Origin(self.ops[place.of].source, self.ops[place.of].node)
        return origin
