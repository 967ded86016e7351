"""The dispatch mode that records: it swaps the model's own tensors for stand-ins, runs each
operation, and records what it did."""

from __future__ import annotations

import contextlib
import sys
import threading

import torch
from torch import nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode_stack

from . import plain_forms, values
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
from .jagged import are_jagged
from .modules import ModuleStack
from .operation import Call, Operator, Place, attribute, is_composite, only_moves
from .origins import Origin, Origins
from .packed import is_packed, window
from .record import Op
from .tangents import KnownZeros
from .tensor_table import Outside, TensorTable

_DROPOUT = nn.modules.dropout._DropoutNd


class Recorder(TorchDispatchMode):
    """Records every operation that runs while it is active.

    `failed_module`, `failed_call`: the last exception that left a module or an operation, and the
    innermost one that it left. A model may go on after it. `unseen`: a module of the model, or
    an operation, that ran in a thread whose operations are not recorded."""

    # cond, scan, flex_attention: their insides are recorded, see `_higher_order`
    supports_higher_order_operators = True

    def __init__(self, model: nn.Module, device: str):
        super().__init__()
        self.device = device
        self.ops: list[Op] = []
        self.table = TensorTable(model, device)
        self.modules = ModuleStack(model)
        self.origins = Origins(model)
        self.failed_module: tuple[BaseException, str] | None = None
        self.failed_call: tuple[BaseException, Call] | None = None
        self.unseen: str | None = None
        self._thread = threading.get_ident()
        self._handled: list[BaseException | None] = []  # by the code that called each open module
        self.forward_ops: ForwardOps | None = None  # where the backward pass is to be traced too
        self.in_backward = False
        self._operators: dict = {}
        self._numbers: set[int] = set()  # tensors that stand for Python numbers
        self._zeros = KnownZeros()

    @classmethod
    def _should_skip_dynamo(cls):  # the default wraps __torch_dispatch__ and imports dynamo: 0.35 s
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if types and are_jagged(types):
            return NotImplemented
        kwargs = kwargs or {}
        operator = self._operators.get(func)
        if operator is None:
            if isinstance(func, torch._ops.HigherOrderOperator):
                return self._higher_order(func, args, kwargs)
            if is_composite(func):
                with self:
                    return func.decompose(*args, **kwargs)
            if func in plain_forms.OVERLOADS:
                with self:
                    return plain_forms.OVERLOADS[func](*args, **kwargs)
            operator = self._operators[func] = Operator.of(func, self.device)
        call = Call(operator)
        args, kwargs = self._swap(call, args, kwargs)
        try:
            out = self._run(func, call, args, kwargs)
        except Exception as e:
            self.failed_call = e, call
            raise
        outputs = self._add_outputs(call, args, out)
        if outputs is not None:
            self._record(call, outputs)
        return out

    # -- swap

    def _swap(self, call, args, kwargs):
        """The arguments with stand-ins; inputs, params and attributes go to `call`."""
        names = call.operator.arguments
        args = tuple(
            self._swap_argument(call, name, a) for name, a in zip(names, args, strict=False)
        )
        kwargs = {name: self._swap_argument(call, name, a) for name, a in kwargs.items()}
        if not call.inputs and self.device == "meta" and kwargs.get("device") is not None:
            # what a model makes for itself is made where it is traced
            kwargs["device"] = torch.device("meta")
        return args, kwargs

    def _swap_argument(self, call, name, value):
        before = len(call.inputs)
        new = self._swap_value(call, value, name in call.operator.written)
        if len(call.inputs) == before and value is not None:
            call.attrs[name] = attribute(value)
        return new

    def _swap_value(self, call, value, written):
        if isinstance(value, torch.Tensor):
            return self._swap_tensor(call, value, written)
        if type(value) in (list, tuple) and any(isinstance(v, torch.Tensor) for v in value):
            return type(value)(self._swap_value(call, v, written) for v in value)
        if is_packed(value):
            self._use_packed(call, value, self.modules.now[0].removesuffix("._packed_params"))
        elif type(value) in (list, tuple) and any(map(is_packed, value)):
            for i, one in enumerate(value):  # a recurrent layer in one direction each
                self._use_packed(call, one, f"{self.modules.now[0]}._all_weight_values.{i}")
        return value

    def _use_packed(self, call, value, path):
        """A quantized layer's packed weight and bias are inputs as any other layer's are."""
        call.attrs.update(window(value))
        for outside in self.table.packed(value, path, before=call.params):
            call.inputs.append(outside.index)
            call.params.append(outside.param)

    def _swap_tensor(self, call, t, written):
        index = self.table.index_by_memory(t)
        if index is None:
            return self._swap_outside(call, t, written)
        call.note_sparse(t)
        call.inputs.append(index)
        if written:
            self.table.keep_memory(t)
            call.written.append(t)
        return t

    def _swap_outside(self, call, t, written):
        outside = self.table.add_outside(t)
        if written:
            if outside.stand_in is t:
                outside.stand_in = t.detach().clone()
            call.written.append(outside)
        if outside.param is not None:
            call.params.append(outside.param)
        if self.device != "meta":
            call.note_sparse(t)
        call.inputs.append(outside.index)
        return outside.stand_in

    # -- run

    def _run(self, func, call, args, kwargs):
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

    def _higher_order(self, func, args, kwargs):
        """Run an operator that takes functions by its plain form, with its operations recorded."""
        if func is torch.ops.higher_order.cond:
            with self:  # which knows values on meta too
                pred, yes, no, operands = args
                return (yes if pred else no)(*operands)
        # attention does its products itself, the others (scan, while_loop) leave all work to the
        # functions
        attention = "flex_attention" in func.name()

        def recorded(fn):
            def inside(*args, **kwargs):
                with self:
                    return fn(*args, **kwargs)

            return inside

        def ready(value):
            if isinstance(value, torch.Tensor):
                known = self.table.index_of(value) is not None
                return value if known else self.table.add_outside(value).stand_in
            return recorded(value) if callable(value) and not attention else value

        args, kwargs = pytree.tree_map(ready, (args, kwargs))
        with self if attention else contextlib.nullcontext():
            return func.py_kernels[torch._C.DispatchKey.CompositeExplicitAutograd](*args, **kwargs)

    # -- record

    def _add_outputs(self, call, args, out) -> list[int] | None:
        """Give what an operation made its indices; None where the operation is not recorded."""
        if spreads_number(call.operator.name, call.inputs, self._numbers):
            self.table.mark(out, call.inputs[0])
            return None
        recorded = call.operator.recorded and not only_moves(call, args, out)
        outputs = []
        for t in (out,) if isinstance(out, torch.Tensor) else pytree.tree_leaves(out):
            if not isinstance(t, torch.Tensor):
                continue
            if self.device == "meta" and t.device.type != "meta" and call.inputs:
                if isinstance(out, tuple) or call.operator.name == "aten._to_copy":
                    index = self._add_known_value(t, None if recorded else call.inputs[0])
                    outputs += [index] if recorded else []
            elif not recorded and call.inputs:
                self.table.mark(t, call.inputs[0])
            else:
                outputs.append(self._add_output(call, t))
        return outputs if recorded else None

    def _add_known_value(self, t, index) -> int:
        """A value that is known: on the CPU for Python, and on `meta` as it was."""
        index = self.table.add(t) if index is None else index
        on_meta = torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="meta")
        values.give(on_meta, t)
        self.table.outside[id(t)] = Outside(t, index, None, self.table.mark(on_meta, index))
        return index

    def _add_output(self, call, t) -> int:
        index = self.table.add(t)
        for outside in call.written:
            if isinstance(outside, Outside) and outside.stand_in is t:
                outside.index = index
                return index
        self.table.mark_made(t, index)
        return index

    def _record(self, call, outputs) -> None:
        name, tensors = call.operator.name, self.table.tensors
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
            self.table.set_dtype(i, "float32")
        where = place.module, place.module_type, place.call
        params = tuple(call.params)
        done = form.name, *where, form.inputs, form.outputs, params, form.attrs
        self.ops.append(Op(*done, place.of, place.recomputed, *self._origin(place)))
        for t in call.written:
            if isinstance(t, torch.Tensor) and t._base is not None:
                self._record_write(t, place)

    def _taken_back(self, source: int) -> int:
        """What `x[i] = value` copies: on the CPU a value without dimensions fills, elsewhere it is
        viewed and expanded first, which is no work and is taken back here."""
        shown = first_shown(self.ops[-2:], source, self.table.tensors)
        if shown is None:
            return source
        del self.ops[-2:]
        return shown

    def _place(self) -> Place:
        """Where the operation that has just run is recorded."""
        if not self.in_backward:
            return Place(*self.modules.now)
        assert self.forward_ops is not None, "a backward pass follows a recorded forward pass"
        of = self.forward_ops.of_current_node()
        # autograd works without gradients; a checkpoint turns them on to run its part again
        recomputed = torch.is_grad_enabled()
        if of < 0:
            return Place(*self.modules.now, of, recomputed)
        forward = self.ops[of]
        return Place(forward.module, forward.module_type, forward.call, of, recomputed)

    def _origin(self, place: Place) -> Origin:
        """Where the operation comes from; in the backward pass, where it runs no code of the
        model's, that of the operation whose gradient it works out."""
        origin = self.origins.now()
        if origin.source is None and place.of is not None and place.of >= 0:
            return Origin(self.ops[place.of].source, self.ops[place.of].node)
        return origin

    def _record_write(self, view, place) -> None:
        """A view was written: what it is a view of has changed too, and comes from both from now
        on."""
        base, after = view._base, self.table.index_of(view)
        before = self.table.index_of(base)
        outside = self.table.outside.get(id(base)) if before is None else None
        if outside is not None:
            before = outside.index
        if after is None or before is None:
            return
        index = self.table.add(base)
        where = place.module, place.module_type, place.call
        done = "costlab.write", *where, (before, after), (index,), (), {}
        self.ops.append(Op(*done, place.of, place.recomputed, *self._origin(place)))
        if outside is not None:
            outside.index = index
        else:
            self.table.mark_made(base, index)

    # -- modules

    def enter(self, module, _args) -> None:
        """A module is called."""
        if self._elsewhere():
            self.unseen = self.modules.paths.get(id(module), self.unseen)
            return
        self._handled.append(sys.exc_info()[1])
        self.modules.enter(module)

    def leave(self, module, _args, out) -> None:
        """A module returns, or fails."""
        if self._elsewhere():
            return
        error, handled = sys.exc_info()[1], self._handled.pop() if self._handled else None
        known = self.failed_module[0] if self.failed_module is not None else None
        if error is not None and error is not handled and error is not known:
            self.failed_module = error, self.modules.now[0]
        if isinstance(module, _DROPOUT) and module.p and isinstance(out, torch.Tensor):
            self._record_dropout(module, out)
        self.modules.leave()

    def notice_elsewhere(self, name: str) -> None:
        """An operation runs in a thread that is not recorded."""
        self.unseen = self.unseen or name

    def _elsewhere(self) -> bool:
        """Whether this is a thread that is not recorded. Threads of the backward pass are."""
        if threading.get_ident() == self._thread:
            return False
        return self not in _get_current_dispatch_mode_stack()

    def _record_dropout(self, module, out) -> None:
        """Nothing in evaluation, some elementwise work in training: the papers' tables list it."""
        index = self.table.index_of(out)
        if index is None:
            return
        attrs, place = {"p": module.p}, self._place()
        done = "costlab.dropout", *self.modules.now, (index,), (index,), (), attrs
        self.ops.append(Op(*done, place.of, place.recomputed, *self.origins.now()))
