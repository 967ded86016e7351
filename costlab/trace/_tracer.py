"""The tracer: one dispatch mode that records, and swaps the model's own tensors for stand-ins.

Tensors that belong to the model (parameters, buffers, plain attributes) are never handed to a kernel that writes
them: on another device a stand-in replaces them, on the same device anything that is written is cloned first. So the
model is left as it was, and a CPU model can be traced on `meta` or CUDA without moving it.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import functools
import gc
import itertools
import math
import operator
import random
import re
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping
from math import prod

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from .._version import __version__
from . import _shapes, _values
from ._modules import ModuleStack, hooked
from ._record import Op, Param, Tensor, Trace


class TraceError(RuntimeError):
    """The model could not be run; the message says where and what to try."""


def _plain(value):
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return tuple(_plain(v) for v in value)
    return str(value).removeprefix("torch.")


_DROPOUT = torch.nn.modules.dropout._DropoutNd
_STATISTICS = {"running_mean", "running_var"}  # which not every schema says that it writes
_NOT_RECORDED = frozenset(("aten::detach", "aten::detach_", "aten::alias", "aten::lift_fresh"))


def _plain_name(name):
    return name.removeprefix("aten.").replace("_", "").lower()


def _stored(t):
    """Elements that a sparse tensor keeps."""
    return (
        (t._values() if t.layout is torch.sparse_coo else t.values()).numel()
        if not t.is_nested and t.layout is not torch._mkldnn
        else t.numel()
    )


def _storage(t):
    """What tells apart the memory of tensors; a sparse one has its own."""
    return t.untyped_storage()._cdata if t.layout is torch.strided else id(t)


def _memory(t):
    return (
        (_storage(t), t.storage_offset(), tuple(t.shape), tuple(t.stride()))
        if t.layout is torch.strided
        else (id(t),)
    )


_CASTS = (
    "autocast works on real devices only, so the model needs real values: trace it with device cpu"
)


@contextlib.contextmanager
def _no_autocast():
    """On `meta` autocast does nothing, so dtypes would be others than on a device: refused, and the CLI then runs on the CPU."""
    enter = torch.autocast.__enter__

    def refuse(self):
        if self._enabled:
            raise TraceError(_CASTS)
        return enter(self)

    torch.autocast.__enter__ = refuse
    try:
        yield
    finally:
        torch.autocast.__enter__ = enter


_RUNS = itertools.count(1)


class _Recorder(TorchDispatchMode):
    def __init__(self, model, device):
        super().__init__()
        self.device = device
        self.base = (
            next(_RUNS) << 32
        )  # a tensor's tag is this and its index: a tensor that outlives a run is another run's outside
        self.ops, self.tensors, self.params = [], [], []
        self.modules = ModuleStack(model)
        # id -> [stand-in, tensor index, parameter index, original (kept alive)]
        self.outside: dict[int, list] = {}
        self.own: set[int] = set()
        seen: dict[int, int] = {}
        names: dict[int, list[str]] = {}
        for name, p in model.named_parameters(remove_duplicate=False):
            names.setdefault(id(p), []).append(name)
            if id(p) not in seen:
                seen[id(p)] = len(self.params)
                t = self._tensor(p)
                self.outside[id(p)] = [None, t, len(self.params), p]
                self.params.append([p, t])
        self.param_names = names
        self.schemas: dict = {}
        self.failed: str | None = None
        self.homes: set[int] = (
            set()
        )  # memory of the model's own tensors that kernels read where it is
        self.undo: dict[int, tuple] = {}
        self.current: tuple = ()  # the operation being run, for the message should it fail
        # for the backward pass: autograd hands out new objects for views and saved tensors, so tensors are known by their
        # memory, and nodes by the sequence number that the forward operation had
        self.by_memory: dict | None = None
        self.by_sequence: dict[tuple, int] = {}
        self.backward = False

    def known(self, t):
        """The index of a tensor that this run has made or was given; None for another."""
        tag = getattr(t, "_costlab", None)
        return (
            tag - self.base
            if tag is not None and self.base <= tag < self.base + (1 << 32)
            else None
        )

    def mark(self, t, index):
        """Remember a tensor's index."""
        t._costlab = self.base + index
        return t

    supports_higher_order_operators = (
        True  # cond, scan, flex_attention: their insides are recorded, see `_higher_order`
    )

    @classmethod
    def _should_skip_dynamo(cls):  # the default wraps __torch_dispatch__ and imports dynamo: 0.35 s
        return False

    def _tensor(self, t):
        shape, kind = tuple(t.shape), str(t.dtype).removeprefix("torch.")
        if (
            t.layout is torch.strided and not t.is_nested and 0 in t.stride()
        ):  # expanded: one element stands for many
            self.tensors.append(
                (shape, kind, prod(n for n, step in zip(shape, t.stride()) if step))
            )
        elif (
            t.layout is not torch.strided and not t.is_nested and t.layout is not torch._mkldnn
        ):  # what is stored of it
            self.tensors.append((shape, kind, _stored(t)))
        else:
            self.tensors.append((shape, kind))
        return len(self.tensors) - 1

    def _standin(self, t):
        if t.device.type == self.device:
            return t
        if t.layout is not torch.strided:
            if self.device == "meta":
                raise TraceError(
                    "sparse tensors are counted by their values, so the model needs real values: trace it with device cpu"
                )
            return t.detach().to(self.device)
        if self.device == "meta":
            return torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="meta")
        if t.device.type == "meta":
            return torch.zeros(t.shape, dtype=t.dtype, device=self.device)
        return t.detach().to(self.device)

    def _outside(self, t):
        entry = self.outside.get(id(t))
        if entry is None:
            param = None
            if isinstance(t, torch.nn.Parameter):
                param = len(self.params)
                self.param_names[id(t)] = [f"(unregistered {param})"]
            index = self._tensor(t)
            if param is not None:
                self.params.append([t, index])
            entry = self.outside[id(t)] = [None, index, param, t]
        if entry[0] is None:
            entry[0] = self._standin(t)
            if entry[0] is t and t.device.type != "meta" and t.layout is torch.strided:
                self.homes.add(_storage(t))
            if self.device == "meta" and t.device.type == "cpu":
                _values.give(entry[0], t)
        return entry

    def _protect(self, t):
        """Before something is written through a view of the model's own memory: keep what is there."""
        if self.homes and t.layout is torch.strided and t.device.type != "meta":
            storage = t.untyped_storage()
            if storage._cdata in self.homes and storage._cdata not in self.undo:
                self.undo[storage._cdata] = storage, storage.clone()

    def add_input(self, t, trained=False):
        made = self._standin(t.detach())
        if made is t or t.device.type != "meta" and _storage(made) == _storage(t):
            made = made.clone()
        if self.device == "meta":
            _values.give(made, t)
        return self.mark(made.requires_grad_(trained and t.requires_grad), self._tensor(made))

    def _higher_order(self, func, args, kwargs):
        """Run an operator that takes functions by its plain form, with its operations recorded."""

        def ready(value):
            if isinstance(value, torch.Tensor):
                return value if self.known(value) is not None else self._outside(value)[0]
            return recorded(value) if callable(value) and not attention else value

        if func is torch.ops.higher_order.cond:
            with self:  # which knows values on meta too
                pred, yes, no, operands = args
                return (yes if pred else no)(*operands)

        def recorded(fn):
            def inside(*args, **kwargs):
                with self:
                    return fn(*args, **kwargs)

            return inside

        # attention does its products itself, the others (cond, scan, while_loop) leave all work to the functions
        attention = "flex_attention" in func.name()
        args, kwargs = pytree.tree_map(ready, (args, kwargs or {}))
        with self if attention else contextlib.nullcontext():
            return func.py_kernels[torch._C.DispatchKey.CompositeExplicitAutograd](*args, **kwargs)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        info = self.schemas.get(func)
        if info is None:
            if isinstance(func, torch._ops.HigherOrderOperator):
                return self._higher_order(func, args, kwargs)
            if torch._C._dispatch_has_kernel_for_dispatch_key(
                func.name(), "CompositeImplicitAutograd"
            ):  # in inference mode, and in higher-order operators, torch leaves composite operations whole
                with self:
                    return func.decompose(*args, **(kwargs or {}))
            schema = func._schema
            info = self.schemas[func] = (
                schema.name.replace("::", "."),
                [a.name for a in schema.arguments],
                {
                    a.name
                    for a in schema.arguments
                    if a.alias_info is not None and a.alias_info.is_write
                }
                | (_STATISTICS if "batch_norm" in schema.name else set()),
                schema.name in _NOT_RECORDED or schema.name.startswith("profiler::"),
                _shapes.find(func) if self.device == "meta" else None,
            )
        name, argnames, written, silent, shape_rule = info
        inputs, used, attrs, mutated = [], [], {}, []

        def swap(value, writes):
            if isinstance(value, torch.Tensor):
                index = self.known(value)
                if index is None and self.by_memory is not None and id(value) not in self.outside:
                    index = self.by_memory.get(_memory(value))
                if index is None:
                    entry = self._outside(value)
                    if writes and entry[0] is value:
                        entry[0] = value.detach().clone()
                    if writes:
                        mutated.append(entry)
                    if entry[2] is not None:
                        used.append(entry[2])
                    if value.layout is not torch.strided and self.device != "meta":
                        attrs.setdefault("sparse", (len(inputs), _stored(value)))
                    inputs.append(entry[1])
                    return entry[0]
                if value.layout is not torch.strided:
                    attrs.setdefault("sparse", (len(inputs), _stored(value)))
                inputs.append(index)
                if writes:
                    self._protect(value)
                    mutated.append(value)
                return value
            if type(value) in (list, tuple) and any(isinstance(v, torch.Tensor) for v in value):
                return type(value)(swap(v, writes) for v in value)
            return value

        def take(argname, value):
            before = len(inputs)
            new = swap(value, argname in written)
            if len(inputs) == before and value is not None:
                attrs[argname] = _plain(value)
            return new

        new_args = tuple(take(argnames[i], a) for i, a in enumerate(args))
        new_kwargs = {k: take(k, v) for k, v in kwargs.items()} if kwargs else {}
        if not inputs and self.device == "meta" and new_kwargs.get("device") is not None:
            new_kwargs["device"] = torch.device(
                "meta"
            )  # what a model makes for itself is made where it is traced
        self.current = (name, inputs)
        out = shape_rule(*new_args, **new_kwargs) if shape_rule else None
        if out is None and self.device == "meta":
            out = _values.read(func, new_args, new_kwargs)
        if out is None:
            out = func(*new_args, **new_kwargs)
            if self.device == "meta":
                small = [t for t in pytree.tree_leaves(out) if isinstance(t, torch.Tensor)]
                if any(not t.dtype.is_floating_point and t.numel() <= _values.LIMIT for t in small):
                    _values.follow(func, new_args, new_kwargs, small)
        if (
            name == "aten._to_copy"
            and isinstance(new_args[0], torch.Tensor)
            and new_args[0].device != out.device
            and new_args[0].dtype == out.dtype
        ):
            silent = True  # only from one device to another: nothing on a single one
        outputs = []
        for t in (out,) if isinstance(out, torch.Tensor) else pytree.tree_leaves(out):
            if isinstance(t, torch.Tensor):
                if self.device == "meta" and t.device.type != "meta" and inputs:
                    if (
                        isinstance(out, tuple) or name == "aten._to_copy"
                    ):  # a value that is known: on the CPU for Python, and here as it was
                        index = inputs[0] if silent else self._tensor(t)
                        made = torch.empty_strided(
                            t.shape, t.stride(), dtype=t.dtype, device="meta"
                        )
                        _values.give(made, t)
                        self.outside[id(t)] = [self.mark(made, index), index, None, t]
                        if not silent:
                            outputs.append(index)
                    continue
                if silent and inputs:
                    self.mark(t, inputs[0])
                    continue
                entry = next((m for m in mutated if isinstance(m, list) and m[0] is t), None)
                index = self._tensor(t)
                if entry is None:
                    self.mark(t, index)
                    if self.by_memory is not None:
                        self.by_memory[_memory(t)] = index
                else:
                    entry[1] = index
                outputs.append(index)
        self.current = ()
        if not silent:
            module, kind, call = self.modules.now
            of = None
            if self.backward:
                node = torch._C._current_autograd_node()
                of = self._forward_of(node) if node is not None else -1
                if of >= 0:
                    module, kind, call = (
                        self.ops[of].module,
                        self.ops[of].module_type,
                        self.ops[of].call,
                    )
            elif self.by_memory is not None:
                following = torch.autograd._get_sequence_nr()
                for key in ((following, _plain_name(name)), (following, None)):
                    self.by_sequence.setdefault(key, len(self.ops))
            self.ops.append(
                Op(name, module, kind, call, tuple(inputs), tuple(outputs), tuple(used), attrs, of)
            )
            for t in mutated:
                if isinstance(t, torch.Tensor) and t._base is not None:
                    self._written(t, module, kind, call, of)
        return out

    def _written(self, view, *where):
        """A view was written: what it is a view of has changed too, and comes from both from now on."""
        base, after = view._base, self.known(view)
        before = self.known(base)
        entry = self.outside.get(id(base)) if before is None else None
        if after is None or before is None and entry is None:
            return
        index = self._tensor(base)
        *place, of = where
        self.ops.append(
            Op(
                "costlab.write",
                *place,
                (entry[1] if entry else before, after),
                (index,),
                (),
                {},
                of,
            )
        )
        if entry:
            entry[1] = index
        else:
            self.mark(base, index)
            if self.by_memory is not None:
                self.by_memory[_memory(base)] = index

    def _forward_of(self, node):
        """The forward operation of an autograd node. Its number was the next one when the operation ran, or is the one after
        for an operation that writes in place; other operations ran under the same number, so names decide."""
        number, name = node._sequence_nr(), _plain_name(re.sub(r"Backward\d*$", "", node.name()))
        for key in (
            (number + 1, name),
            (number, name),
            (number - 1, name),
            (number + 1, None),
            (number, None),
        ):
            if key in self.by_sequence:
                return self.by_sequence[key]
        return -1

    def lend_parameters(self, model):
        """Put leaf stand-ins in the place of all parameters, so that autograd runs on the tracing device and leaves the model be; those that
        require a gradient."""
        self.by_memory = {}
        for module in model.modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue
            for name, p in module._parameters.items():
                if p is not None:
                    entry = self._outside(p)
                    if (
                        entry[0] is p
                        or not entry[0].is_leaf
                        or not isinstance(entry[0], torch.nn.Parameter)
                    ):
                        entry[0] = torch.nn.Parameter(
                            self._standin(p).detach(), requires_grad=p.requires_grad
                        )
                        self.outside[id(entry[0])] = entry
                    module._parameters[name] = entry[0]
            for name, b in module._buffers.items():
                if b is not None:
                    entry = self._outside(b)
                    self.outside[id(entry[0])] = entry
                    module._buffers[name] = entry[0]
        return [
            t
            for t in dict.fromkeys(
                module._parameters[name]
                for module in model.modules()
                if not isinstance(module, torch.jit.ScriptModule)
                for name in module._parameters
                if module._parameters[name] is not None
            )
            if t.requires_grad
        ]

    def run_backward(self, out, leaves):
        """The backward pass of `out`, from gradients of one at every differentiable output; indices of the parameters that got one."""
        ends = [t for t in _each(out) if t.requires_grad]
        if not ends or not leaves:
            raise TraceError(
                "nothing here can be trained: no output depends on a parameter that requires a gradient"
            )
        with _disable_current_modes():
            ones = [torch.ones(t.shape, dtype=t.dtype, device=t.device) for t in ends]
            for t in ones:
                self.mark(t, self._tensor(t))
        self.backward = True
        self.modules.open[1:] = []
        nodes = _nodes(ends)
        if not any(n.name() == "CheckpointFunctionBackward" for n in nodes):
            grads = torch.autograd.grad(ends, leaves, ones, allow_unused=True)
            return tuple(self.outside[id(t)][2] for t, g in zip(leaves, grads) if g is not None)
        # a reentrant checkpoint runs its own backward pass, which is refused where gradients are asked for
        others = [
            (v, v.grad)
            for n in nodes
            if (v := getattr(n, "variable", None)) is not None and id(v) not in set(map(id, leaves))
        ]
        try:
            torch.autograd.backward(ends, ones)
        finally:
            for v, grad in others:
                v.grad = grad
        return tuple(self.outside[id(t)][2] for t in leaves if t.grad is not None)

    def enter(self, module, _args):
        self.modules.enter(module)

    def lend_all(self, model):
        """Put stand-ins in the place of parameters and buffers that are on another device: autocast and the model's own code ask tensors
        where they are. `_Kept` puts the model's own back."""
        for module in model.modules():
            for own in (
                ()
                if isinstance(module, torch.jit.ScriptModule)
                else (module._parameters, module._buffers)
            ):
                for name, t in own.items():
                    if t is not None and t.device.type != self.device:
                        entry = self._outside(t)
                        if isinstance(t, torch.nn.Parameter) and not isinstance(
                            entry[0], torch.nn.Parameter
                        ):
                            entry[0] = torch.nn.Parameter(entry[0], requires_grad=t.requires_grad)
                        self.outside[id(entry[0])] = entry
                        own[name] = entry[0]

    def restore(self):
        """Put back what was written through views."""
        for storage, was in self.undo.values():
            storage.copy_(was)

    def leave(self, module, _args, out):
        if self.failed is None and sys.exc_info()[0] is not None:
            self.failed = self.modules.now[0]
        if (
            isinstance(module, _DROPOUT)
            and module.p
            and isinstance(out, torch.Tensor)
            and not (self.ops and self.ops[-1].name == "aten.native_dropout")
        ):
            index = self.known(out)
            if (
                index is not None
            ):  # nothing in evaluation, some elementwise work in training: the papers' tables list it
                path, kind, call = self.modules.now
                self.ops.append(
                    Op("costlab.dropout", path, kind, call, (index,), (index,), (), {"p": module.p})
                )
        self.modules.leave()


_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")


def _recurrent_forms():
    """torch's own recurrent layers written in Python, the same on every device; its kernels work in other steps on each."""
    from torch._decomp import decompositions as forms

    kinds = {
        "lstm": (forms.lstm_impl, forms.lstm_data_impl),
        "gru": (forms.gru_impl, forms.gru_impl_data),
        "rnn_tanh": (forms.rnn_tanh_input, forms.rnn_tanh_data),
        "rnn_relu": (forms.rnn_relu_input, forms.rnn_relu_data),
    }
    # a packed sequence comes as (data, batch_sizes, hidden, weights, ...), a plain one as (input, hidden, weights, ...)
    return {
        name: lambda *args, whole=whole, packed=packed: (
            packed if isinstance(args[3], (list, tuple)) else whole
        )(*args)
        for name, (whole, packed) in kinds.items()
    }


_CONTAINERS = (dict, OrderedDict, defaultdict, Counter, list, set, deque)
_OBJECTS = 20_000  # plain objects and containers looked into
_SIMPLE = frozenset(
    (
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        type(None),
        torch.Tensor,
        torch.nn.Parameter,
        torch.Size,
        torch.dtype,
        torch.device,
    )
)


# threads, queues, loggers, files: what the process shares is not put back
_SHARED = sys.stdlib_module_names - {
    "abc",
    "builtins",
    "collections",
    "dataclasses",
    "types",
    "typing",
}


@functools.cache
def _is_own(kind):
    """Whether a class is a user's own, and neither a module nor what the process shares."""
    return not issubclass(
        kind,
        (
            type,
            torch.nn.Module,
            torch.Tensor,
            types.ModuleType,
            types.FunctionType,
            torch.nn.utils.rnn.PackedSequence,
        ),
    ) and not any(c.__module__.partition(".")[0] in _SHARED for c in kind.__mro__)


def _is_plain(value):
    """An instance of a user's class, whose attributes are in its own dict."""
    return _is_own(type(value)) and type(getattr(value, "__dict__", None)) is dict


def _nodes(ends):
    """All nodes of the autograd graph behind some tensors."""
    found, stack = set(), [t.grad_fn for t in ends]
    while stack:
        node = stack.pop()
        if node is not None and node not in found:
            found.add(node)
            stack += [n for n, _ in node.next_functions]
    return found


def _one_hot(tensor, num_classes=-1):
    """F.one_hot in one form; torch's differs by device."""
    n = int(tensor.max()) + 1 if num_classes == -1 else num_classes
    return torch.zeros((*tensor.shape, n), dtype=torch.int64, device=tensor.device).scatter_(
        -1, tensor.unsqueeze(-1), 1
    )


def _pad_packed(data, batch_sizes, batch_first, padding_value, total_length):
    """torch._VF._pad_packed_sequence in one form; torch's writes lengths from C++, which `meta` has no memory for."""
    sizes = batch_sizes.tolist()
    batch = sizes[0]
    steps = [
        torch.nn.functional.pad(
            step, (0, 0) * (data.dim() - 1) + (0, batch - step.shape[0]), value=padding_value
        )
        for step in data.split(sizes)
    ]
    steps += [torch.full_like(steps[0], padding_value)] * (total_length - len(sizes))
    out = torch.stack(steps)
    return out.transpose(0, 1) if batch_first else out, torch.tensor(
        [sum(n > b for n in sizes) for b in range(batch)]
    )


class _Kept:
    """What a model is made of, to be put back: its tensors by name with their data and gradients, and its plain attributes, containers and
    objects among them with what they held."""

    def __init__(self, model, *inputs):
        self.modules, self.held, self.tensors, self.empty = [], {}, [], []
        for m in model.modules():
            if isinstance(
                m, torch.jit.ScriptModule
            ):  # its tensors are in C++ and swapped where they are used
                continue
            own = vars(m)
            self.modules.append((m, own.copy()))
            for name in ("_parameters", "_buffers", "_modules"):
                inside = own[name]
                if inside:
                    self.held[id(inside)] = inside, inside.copy()
            for value in own.values():
                kind = type(value)
                if kind in _CONTAINERS and not value:
                    self.empty.append(value)
                elif kind not in _SIMPLE:
                    self.hold(value, math.inf)
            for tensors in (m._parameters, m._buffers):
                self.tensors += [
                    (
                        t,
                        t.data if t.layout is torch.strided else None,
                        t.requires_grad,
                        t.grad if t.is_leaf else None,
                    )
                    for t in tensors.values()
                    if t is not None
                ]
        for value in inputs:
            self.hold(value)

    def hold(self, value, most=_OBJECTS):
        """Remember what is in a container or a plain object, and in those within it, of which there may be very many."""
        stack, tuples = [value], set()
        while stack:
            value = stack.pop()
            kind = type(value)
            if kind in _SIMPLE or id(value) in self.held:
                continue
            if kind is tuple:
                if id(value) not in tuples:
                    tuples.add(id(value))
                    stack += value
                continue
            if kind in _CONTAINERS:
                items = value.copy()
                inside = items.values() if isinstance(items, dict) else items
            elif _is_plain(value):
                items = vars(value).copy()
                inside = items.values()
            else:
                continue
            if len(self.held) < most + 4 * len(self.modules):
                self.held[id(value)] = value, items
                stack += inside
                most = min(most, _OBJECTS)

    def restore(self):
        for m, was in self.modules:
            vars(m).clear()
            vars(m).update(was)
        for own in self.empty:
            own.clear()
        for container, items in self.held.values():
            now = container if type(container) in _CONTAINERS else vars(container)
            if (
                len(now) == len(items)
                and all(map(operator.is_, now, items))
                and (
                    not isinstance(now, dict)
                    or all(map(operator.is_, now.values(), items.values()))
                )
            ):
                continue
            now.clear()
            (now.extend if isinstance(now, (list, deque)) else now.update)(items)
        for t, data, wanted, grad in self.tensors:
            if data is not None and _memory(t) != _memory(data):
                t.data = data
            if t.grad_fn is not None:
                t.detach_()
            if t.requires_grad != wanted:
                t.requires_grad_(wanted)
            if t.is_leaf and t.grad is not grad:
                t.grad = grad


def _random_state(device):
    """A function that puts every random state back."""
    numpy = sys.modules.get("numpy")
    torchs, python, numpys = (
        torch.get_rng_state(),
        random.getstate(),
        numpy.random.get_state() if numpy else None,
    )
    cuda = torch.cuda.get_rng_state_all() if device == "cuda" else None

    def restore():
        torch.set_rng_state(torchs)
        random.setstate(python)
        if numpys is not None:
            numpy.random.set_state(numpys)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)

    return restore


@contextlib.contextmanager
def _composite(recurrent):
    """Fused attention and recurrent kernels hide their products, and which fusion runs differs by device: run the plain
    forms, then restore."""
    cuda, mha = torch.backends.cuda, torch.backends.mha
    was = (
        cuda.flash_sdp_enabled(),
        cuda.mem_efficient_sdp_enabled(),
        cuda.cudnn_sdp_enabled(),
        mha.get_fastpath_enabled(),
    )
    mkldnn, cudnn = torch._C._get_mkldnn_enabled(), torch._C._get_cudnn_enabled()
    compiler, one_hot = torch.compile, torch.nn.functional.one_hot
    try:
        torch.nn.functional.one_hot, torch._VF._pad_packed_sequence = _one_hot, _pad_packed
        # torch.cond and flex_attention compile what they are given, and a compiler cannot look through a recorder
        torch.compile = lambda model=None, **_: model if model is not None else lambda fn: fn
        (
            cuda.enable_flash_sdp(False),
            cuda.enable_mem_efficient_sdp(False),
            cuda.enable_cudnn_sdp(False),
        )
        mha.set_fastpath_enabled(False)
        if recurrent:
            torch._C._set_mkldnn_enabled(False), torch._C._set_cudnn_enabled(False)
            for name, form in _recurrent_forms().items():
                setattr(torch._VF, name, form)
        yield
    finally:
        (
            cuda.enable_flash_sdp(was[0]),
            cuda.enable_mem_efficient_sdp(was[1]),
            cuda.enable_cudnn_sdp(was[2]),
        )
        mha.set_fastpath_enabled(was[3])
        torch._C._set_mkldnn_enabled(mkldnn), torch._C._set_cudnn_enabled(cudnn)
        torch.compile, torch.nn.functional.one_hot = compiler, one_hot
        for name in (*(_RECURRENT if recurrent else ()), "_pad_packed_sequence"):
            vars(torch._VF).pop(name, None)


def _resolve(model, device):
    device = str(device)
    if device.startswith("cuda:") or device == "cpu:0":
        device = device.partition(":")[0]
    if device not in ("auto", "cuda", "cpu", "meta"):
        raise TraceError(f"unknown device {device!r}; choose cuda, cpu, meta or auto")
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        first = next(model.parameters(), None)
        return "cpu" if first is None else first.device.type
    if device == "cuda" and not torch.cuda.is_available():
        raise TraceError(
            "device cuda was asked for, but torch sees no CUDA device; use --device cpu or meta"
        )
    return device


def _each(value):
    """Every tensor in a nested value, in order."""
    found, stack, seen = [], [value], set()
    while stack:
        value = stack.pop()
        if isinstance(value, torch.Tensor):
            found.append(value)
            continue
        if type(value) in _SIMPLE or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Mapping):
            inside = list(value.values())
        elif isinstance(value, (list, tuple)):
            inside = list(value)
        elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            inside = [getattr(value, name) for name in value.__dataclass_fields__]
        else:
            inside = list(vars(value).values()) if _is_plain(value) else []
        stack += reversed(inside)
    return found


def _holds(value, seen):
    """Whether a plain object holds a tensor somewhere."""
    if isinstance(value, torch.Tensor):
        return True
    if (
        isinstance(value, (str, bytes, int, float, type(None)))
        or id(value) in seen
        or len(seen) > _OBJECTS
    ):
        return False
    seen.add(id(value))
    if isinstance(value, Mapping):
        return any(_holds(v, seen) for v in value.values())
    if isinstance(value, (list, tuple, set, deque)):
        return any(_holds(v, seen) for v in value)
    return _is_plain(value) and any(_holds(v, seen) for v in vars(value).values())


def _map(fn, value, made=None):
    """`fn` of every tensor in a nested value: dicts, lists, (named) tuples, dataclasses, and objects that hold tensors, which are copied;
    the rest stays."""
    if isinstance(value, torch.Tensor):
        return fn(value)
    made = {} if made is None else made  # by id: what is there twice stays one
    if id(value) in made:
        return made[id(value)][0]
    new = _mapped(fn, value, made)
    made.setdefault(id(value), (new, value))  # which keeps it alive, and its id its own
    return new


def _mapped(fn, value, made):
    if isinstance(
        value, torch.nn.utils.rnn.PackedSequence
    ):  # its batch sizes are always on the CPU
        moved = [
            v if v is None else fn(v)
            for v in (value.data, value.sorted_indices, value.unsorted_indices)
        ]
        return type(value)(moved[0], value.batch_sizes, *moved[1:])
    if isinstance(value, Mapping):
        if type(value) is dict:
            return {k: _map(fn, v, made) for k, v in value.items()}
        new = copy.copy(value)
        for k, v in value.items():
            new[k] = _map(fn, v, made)
        return new
    if isinstance(value, (list, tuple)):
        items = [_map(fn, v, made) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    fields = getattr(value, "__dataclass_fields__", None) if not isinstance(value, type) else None
    if fields is None and not (_is_plain(value) and _holds(value, set())):
        return value
    if _is_plain(value):  # without its own ways to be copied
        new = object.__new__(type(value))
        vars(new).update(vars(value))
    else:
        new = copy.copy(value)
    made[id(value)] = new, value
    for name in fields if fields is not None else tuple(vars(value)):
        object.__setattr__(new, name, _map(fn, getattr(value, name), made))
    return new


def _drained(value):
    """A model's output with iterators (a generator, a map) run to their end, while what they do is recorded."""
    if isinstance(value, Iterator):
        return [_drained(v) for v in value]
    if type(value) in (list, tuple):
        return type(value)(map(_drained, value))
    return {k: _drained(v) for k, v in value.items()} if type(value) is dict else value


def trace(
    model,
    inputs=(),
    kwargs=None,
    *,
    device="auto",
    spec=None,
    train=None,
    fused=False,
    backward=False,
) -> Trace:
    """Run `model` once and record what it did.

    Args:
        model: any `torch.nn.Module`; it is left exactly as it was, also when the run fails.
        inputs: a tensor, a tuple of positional inputs, or a dict of keyword inputs; nested values are fine.
        kwargs: keyword inputs beside positional ones.
        device: "cuda", "cpu", "meta" (shapes only, no arithmetic) or "auto" (CUDA where there is one, otherwise
            where the model's parameters are).
        spec: how the model was named, for the provenance. train: None keeps the model's own flags.
        backward: trace the backward pass too, in training mode unless `train` is False; `Op.of` tells the two apart.
        fused: let torch choose fused attention and recurrent kernels, which differ by device, instead of the plain forms.

    Raises:
        TraceError: the device is missing, or the model failed on these inputs.
    """
    if not isinstance(model, torch.nn.Module):
        raise TraceError(f"expected a torch.nn.Module, got {type(model).__name__}")
    device = _resolve(model, device)
    if isinstance(inputs, Mapping):
        inputs, kwargs = (), {**inputs, **(kwargs or {})}
    elif not isinstance(inputs, (tuple, list)):
        inputs = (inputs,)
    lazy = next(
        (
            n
            for n, t in (*model.named_parameters(), *model.named_buffers())
            if torch.nn.parameter.is_lazy(t)
        ),
        None,
    )
    if lazy:
        raise TraceError(
            f"{lazy} has no shape yet (a lazy module); run the model once on real inputs before tracing it"
        )
    recorder = _Recorder(model, device)
    flags = [(m, m.training) for m in model.modules()]
    watching = contextlib.ExitStack()  # undone from the last to the first, all of it whatever fails
    watching.callback(_random_state(device))
    watching.callback(lambda: [setattr(m, "training", was) for m, was in flags])
    watching.callback(torch.clear_autocast_cache)
    watching.callback(recorder.restore)
    watching.callback(_Kept(model, inputs, kwargs or {}).restore)
    # a CPU model on a GPU: what it makes for itself is made there too; casts that autocast keeps are of another run
    home = (
        torch.device(device)
        if device == "cuda" and any(p.device.type != "cuda" for p in model.parameters())
        else contextlib.nullcontext()
    )
    torch.clear_autocast_cache()
    if gc.isenabled():
        gc.disable()  # the record only grows: looking it through again and again would make a long trace quadratic
        watching.callback(gc.enable)
    try:
        if device == "meta":
            if any(torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")):
                raise TraceError(_CASTS)
            watching.enter_context(_no_autocast())
        for buffer in model.buffers():  # a fresh copy, in case training-mode statistics are written
            entry = recorder._outside(buffer)
            if entry[0] is buffer:  # batch norm's schema does not say that it writes them
                entry[0] = buffer.detach().clone()
        watching.enter_context(hooked(recorder.enter, recorder.leave))
        train = True if backward and train is None else train
        if train is not None:
            for m, _ in flags:
                m.training = train
        made = {}

        def convert(t):
            if id(t) not in made:
                made[id(t)] = recorder.add_input(t, backward)
            return made[id(t)]

        args, kw = _map(convert, (tuple(inputs), dict(kwargs or {})))
        if not backward:
            recorder.lend_all(model)
        in_ids = tuple(map(recorder.known, made.values()))
        plain = (
            contextlib.nullcontext()
            if fused
            else _composite(any(isinstance(m, torch.nn.RNNBase) for m, _ in flags))
        )
        saved, graded = {}, ()  # memory -> tensor index: views of one tensor are kept once
        if backward:
            leaves = recorder.lend_parameters(model)
            parameters = {t.untyped_storage()._cdata for t in leaves}

            def keep(t):
                index, memory = recorder.known(t), _storage(t)
                index = recorder.by_memory.get(_memory(t)) if index is None else index
                if index is not None and memory not in parameters:  # which are kept anyway
                    saved.setdefault(memory, index)
                return t

            with torch.enable_grad(), plain, home, recorder:
                with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
                    out = _drained(model(*args, **kw))
                graded = recorder.run_backward(out, leaves)
        else:
            with torch.no_grad(), plain, home, recorder:
                out = _drained(model(*args, **kw))
    except TraceError:
        raise
    except Exception as e:
        where = recorder.failed or type(model).__name__
        hint = (
            "; the model needs real values, so trace it with device cpu"
            if device == "meta" and "meta" in str(e).lower()
            else ""
        )
        first = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
        if recorder.current and all(i < len(recorder.tensors) for i in recorder.current[1]):
            name, ids = recorder.current
            hint = (
                f" ({name} on {', '.join('x'.join(map(str, recorder.tensors[i][0])) or 'a scalar' for i in ids)})"
                + hint
            )
        raise TraceError(f"the model failed in {where}: {type(e).__name__}: {first}{hint}") from e
    finally:
        watching.close()
    tensors = tuple(Tensor(*t) for t in recorder.tensors)
    params = tuple(
        Param(tuple(recorder.param_names[id(p)]), tensors[t].shape, tensors[t].dtype, t)
        for p, t in recorder.params
    )
    name = torch.cuda.get_device_name() if device == "cuda" else device
    provenance = {
        "model": spec or type(model).__name__,
        "inputs": [["x".join(map(str, tensors[i].shape)), tensors[i].dtype] for i in in_ids],
        "device": name,
        "torch": torch.__version__,
        "costlab": __version__,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    out_ids = [i for i in map(recorder.known, _each(out)) if i is not None]
    return Trace(
        tuple(recorder.ops),
        tensors,
        params,
        in_ids,
        tuple(out_ids),
        provenance,
        tuple(saved.values()),
        gradients=graded,
    )
