"""The tracer: one dispatch mode that records, and swaps the model's own tensors for stand-ins.

Tensors that belong to the model (parameters, buffers, plain attributes) are never handed to a kernel that writes
them: on another device a stand-in replaces them, on the same device anything that is written is cloned first. So the
model is left as it was, and a CPU model can be traced on `meta` or CUDA without moving it.
"""
from __future__ import annotations

import contextlib
import copy
import datetime
import gc
import re
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping
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
_NOT_RECORDED = frozenset(("aten::detach", "aten::detach_", "aten::alias", "aten::lift_fresh"))


def _plain_name(name):
    return name.removeprefix("aten.").replace("_", "").lower()


def _memory(t):
    return t.untyped_storage()._cdata, t.storage_offset(), tuple(t.shape), tuple(t.stride())


class _Recorder(TorchDispatchMode):
    def __init__(self, model, device):
        super().__init__()
        self.device = device
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
        self.homes: set[int] = set()  # memory of the model's own tensors that kernels read where it is
        self.undo: dict[int, tuple] = {}
        self.current: tuple = ()  # the operation being run, for the message should it fail
        # for the backward pass: autograd hands out new objects for views and saved tensors, so tensors are known by their
        # memory, and nodes by the sequence number that the forward operation had
        self.by_memory: dict | None = None
        self.by_sequence: dict[tuple, int] = {}
        self.backward = False

    supports_higher_order_operators = True  # cond, scan, flex_attention: their insides are recorded, see `_higher_order`

    @classmethod
    def _should_skip_dynamo(cls):  # the default wraps __torch_dispatch__ and imports dynamo: 0.35 s
        return False

    def _tensor(self, t):
        shape, kind = tuple(t.shape), str(t.dtype).removeprefix("torch.")
        if t.layout is torch.strided and not t.is_nested and 0 in t.stride():  # expanded: one element stands for many
            self.tensors.append((shape, kind, prod(n for n, step in zip(shape, t.stride()) if step)))
        else:
            self.tensors.append((shape, kind))
        return len(self.tensors) - 1

    def _standin(self, t):
        if t.device.type == self.device:
            return t
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
            if entry[0] is t and t.device.type != "meta":
                self.homes.add(t.untyped_storage()._cdata)
            if self.device == "meta" and t.device.type == "cpu":
                _values.give(entry[0], t)
        return entry

    def _protect(self, t):
        """Before something is written through a view of the model's own memory: keep what is there."""
        if self.homes and t.layout is torch.strided and t.device.type != "meta":
            storage = t.untyped_storage()
            if storage._cdata in self.homes and storage._cdata not in self.undo:
                self.undo[storage._cdata] = storage, storage.clone()

    def add_input(self, t):
        made = self._standin(t.detach())
        if made is t or made.data_ptr() == t.data_ptr() and t.device.type != "meta":
            made = made.clone()
        if self.device == "meta":
            _values.give(made, t)
        made._costlab = self._tensor(made)
        return made

    def _higher_order(self, func, args, kwargs):
        """Run an operator that takes functions by its plain form, with its operations recorded."""
        def ready(value):
            if isinstance(value, torch.Tensor):
                return value if hasattr(value, "_costlab") else self._outside(value)[0]
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
            if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"):  # in inference mode, and in higher-order operators, torch leaves composite operations whole
                with self:
                    return func.decompose(*args, **(kwargs or {}))
            schema = func._schema
            info = self.schemas[func] = (
                schema.name.replace("::", "."), [a.name for a in schema.arguments],
                {a.name for a in schema.arguments if a.alias_info is not None and a.alias_info.is_write},
                schema.name in _NOT_RECORDED or schema.name.startswith("profiler::"),
                _shapes.find(func) if self.device == "meta" else None)
        name, argnames, written, silent, shape_rule = info
        inputs, used, attrs, mutated = [], [], {}, []

        def swap(value, writes):
            if isinstance(value, torch.Tensor):
                index = getattr(value, "_costlab", None)
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
                    inputs.append(entry[1])
                    return entry[0]
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
            new_kwargs["device"] = torch.device("meta")  # what a model makes for itself is made where it is traced
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
        outputs = []
        for t in (out,) if isinstance(out, torch.Tensor) else pytree.tree_leaves(out):
            if isinstance(t, torch.Tensor):
                if silent and inputs:
                    t._costlab = inputs[0]
                    continue
                if self.device == "meta" and t.device.type != "meta" and inputs:
                    continue
                entry = next((m for m in mutated if isinstance(m, list) and m[0] is t), None)
                index = self._tensor(t)
                if entry is None:
                    t._costlab = index
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
                    module, kind, call = self.ops[of].module, self.ops[of].module_type, self.ops[of].call
            elif self.by_memory is not None:
                following = torch.autograd._get_sequence_nr()
                for key in ((following, _plain_name(name)), (following, None)):
                    self.by_sequence.setdefault(key, len(self.ops))
            self.ops.append(Op(name, module, kind, call, tuple(inputs), tuple(outputs), tuple(used), attrs, of))
        return out

    def _forward_of(self, node):
        """The forward operation of an autograd node. Its number was the next one when the operation ran, or is the one after
        for an operation that writes in place; other operations ran under the same number, so names decide."""
        number, name = node._sequence_nr(), _plain_name(re.sub(r"Backward\d*$", "", node.name()))
        for key in ((number + 1, name), (number, name), (number - 1, name), (number + 1, None), (number, None)):
            if key in self.by_sequence:
                return self.by_sequence[key]
        return -1

    def lend_parameters(self, model):
        """Leaf stand-ins for all parameters, by name, so that autograd runs on the tracing device and leaves the model be."""
        self.by_memory = {}
        lent = {}
        for name, p in model.named_parameters(remove_duplicate=False):
            entry = self.outside[id(p)]
            if entry[0] is None:
                made = self._standin(p)
                entry[0] = made.detach().requires_grad_(p.requires_grad)
                self.outside[id(entry[0])] = entry
            lent[name] = entry[0]
        return lent

    def run_backward(self, out, leaves):
        """The backward pass of `out`, from gradients of one at every differentiable output."""
        ends = [t for t in _each(out) if t.requires_grad]
        if not ends or not leaves:
            raise TraceError("nothing here can be trained: no output depends on a parameter that requires a gradient")
        with _disable_current_modes():
            ones = [torch.ones(t.shape, dtype=t.dtype, device=t.device) for t in ends]
            for t in ones:
                t._costlab = self._tensor(t)
        self.backward = True
        self.modules.open[1:] = []
        torch.autograd.grad(ends, leaves, ones, allow_unused=True)

    def enter(self, module, _args):
        self.modules.enter(module)

    def lend_all(self, model):
        """Put stand-ins in the place of parameters and buffers that are on another device: autocast and the model's own code ask tensors
        where they are. `_Kept` puts the model's own back."""
        for module in model.modules():
            for own in (module._parameters, module._buffers):
                for name, t in own.items():
                    if t is not None and t.device.type != self.device:
                        entry = self._outside(t)
                        if isinstance(t, torch.nn.Parameter) and not isinstance(entry[0], torch.nn.Parameter):
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
        if isinstance(module, _DROPOUT) and module.p and isinstance(out, torch.Tensor) and not (self.ops and self.ops[-1].name == "aten.native_dropout"):
            index = getattr(out, "_costlab", None)
            if index is not None:  # nothing in evaluation, some elementwise work in training: the papers' tables list it
                path, kind, call = self.modules.now
                self.ops.append(Op("costlab.dropout", path, kind, call, (index,), (index,), (), {"p": module.p}))
        self.modules.leave()


_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")


def _recurrent_forms():
    """torch's own recurrent layers written in Python, the same on every device; its kernels work in other steps on each."""
    from torch._decomp import decompositions as forms
    kinds = {"lstm": (forms.lstm_impl, forms.lstm_data_impl), "gru": (forms.gru_impl, forms.gru_impl_data),
             "rnn_tanh": (forms.rnn_tanh_input, forms.rnn_tanh_data), "rnn_relu": (forms.rnn_relu_input, forms.rnn_relu_data)}
    # a packed sequence comes as (data, batch_sizes, hidden, weights, ...), a plain one as (input, hidden, weights, ...)
    return {name: lambda *args, whole=whole, packed=packed: (packed if isinstance(args[3], (list, tuple)) else whole)(*args)
            for name, (whole, packed) in kinds.items()}


_CONTAINERS = (dict, OrderedDict, defaultdict, Counter, list, set, deque)


class _Kept:
    """What a model is made of, to be put back: its tensors by name with their gradients, and its plain attributes, containers among them
    with what they held."""

    def __init__(self, model):
        self.modules, self.held, self.grads = [], {}, []
        for m in model.modules():
            own = vars(m)
            self.modules.append((m, own.copy()))
            for name, value in own.items():
                if type(value) in _CONTAINERS and (value or name[0] != "_"):
                    self.hold(value)
            self.grads += [(p, p.requires_grad, p.grad) for p in m._parameters.values() if p is not None]

    def hold(self, container):
        """Remember what is in a container and in those within it."""
        if id(container) not in self.held:
            items = container.copy()
            self.held[id(container)] = container, items
            for value in items.values() if isinstance(items, dict) else items:
                if type(value) in _CONTAINERS:
                    self.hold(value)

    def restore(self):
        for m, was in self.modules:
            vars(m).clear()
            vars(m).update(was)
            for name in ("_parameters", "_buffers", "_modules"):
                if id(was[name]) not in self.held:  # it was empty
                    was[name].clear()
        for container, items in self.held.values():
            container.clear()
            (container.extend if isinstance(container, (list, deque)) else container.update)(items)
        for p, wanted, grad in self.grads:
            if p.requires_grad != wanted:
                p.requires_grad_(wanted)
            if p.grad is not grad:
                p.grad = grad


@contextlib.contextmanager
def _composite(recurrent):
    """Fused attention and recurrent kernels hide their products, and which fusion runs differs by device: run the plain
    forms, then restore."""
    cuda, mha = torch.backends.cuda, torch.backends.mha
    was = (cuda.flash_sdp_enabled(), cuda.mem_efficient_sdp_enabled(), cuda.cudnn_sdp_enabled(), mha.get_fastpath_enabled())
    mkldnn, cudnn = torch._C._get_mkldnn_enabled(), torch._C._get_cudnn_enabled()
    compiler = torch.compile
    try:
        # torch.cond and flex_attention compile what they are given, and a compiler cannot look through a recorder
        torch.compile = lambda model=None, **_: model if model is not None else lambda fn: fn
        cuda.enable_flash_sdp(False), cuda.enable_mem_efficient_sdp(False), cuda.enable_cudnn_sdp(False)
        mha.set_fastpath_enabled(False)
        if recurrent:
            torch._C._set_mkldnn_enabled(False), torch._C._set_cudnn_enabled(False)
            for name, form in _recurrent_forms().items():
                setattr(torch._VF, name, form)
        yield
    finally:
        cuda.enable_flash_sdp(was[0]), cuda.enable_mem_efficient_sdp(was[1]), cuda.enable_cudnn_sdp(was[2])
        mha.set_fastpath_enabled(was[3])
        torch._C._set_mkldnn_enabled(mkldnn), torch._C._set_cudnn_enabled(cudnn)
        torch.compile = compiler
        for name in _RECURRENT if recurrent else ():
            vars(torch._VF).pop(name, None)


def _resolve(model, device):
    if device not in ("auto", "cuda", "cpu", "meta"):
        raise TraceError(f"unknown device {device!r}; choose cuda, cpu, meta or auto")
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        first = next(model.parameters(), None)
        return "cpu" if first is None else first.device.type
    if device == "cuda" and not torch.cuda.is_available():
        raise TraceError("device cuda was asked for, but torch sees no CUDA device; use --device cpu or meta")
    return device


def _each(value):
    """Every tensor in a nested value."""
    found = []
    _map(lambda t: (found.append(t), t)[1], value)
    return found


def _map(fn, value):
    """`fn` of every tensor in a nested value: dicts, lists, (named) tuples, dataclasses; the rest stays."""
    if isinstance(value, torch.Tensor):
        return fn(value)
    if isinstance(value, Mapping):
        made = {k: _map(fn, v) for k, v in value.items()}
        if type(value) is dict:
            return made
        new = copy.copy(value)
        for k, v in made.items():
            new[k] = v
        return new
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):  # its batch sizes are always on the CPU
        moved = [v if v is None else fn(v) for v in (value.data, value.sorted_indices, value.unsorted_indices)]
        return type(value)(moved[0], value.batch_sizes, *moved[1:])
    if isinstance(value, (list, tuple)):
        made = [_map(fn, v) for v in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        new = copy.copy(value)
        for name in value.__dataclass_fields__:
            object.__setattr__(new, name, _map(fn, getattr(value, name)))
        return new
    return value


def trace(model, inputs=(), kwargs=None, *, device="auto", spec=None, train=None, fused=False,
          backward=False) -> Trace:
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
    lazy = next((n for n, t in (*model.named_parameters(), *model.named_buffers()) if torch.nn.parameter.is_lazy(t)), None)
    if lazy:
        raise TraceError(f"{lazy} has no shape yet (a lazy module); run the model once on real inputs before tracing it")
    kept = _Kept(model)
    recorder = _Recorder(model, device)
    for buffer in model.buffers():  # a fresh copy, in case training-mode statistics are written
        entry = recorder._outside(buffer)
        if entry[0] is buffer:  # batch norm's schema does not say that it writes them
            entry[0] = buffer.detach().clone()
    flags = [(m, m.training) for m in model.modules()]
    rng = torch.get_rng_state()
    cuda_rng = torch.cuda.get_rng_state_all() if device == "cuda" else None
    watching = contextlib.ExitStack()
    # a CPU model on a GPU: what it makes for itself is made there too; casts that autocast keeps are of another run
    home = torch.device(device) if device == "cuda" and any(p.device.type != "cuda" for p in model.parameters()) else contextlib.nullcontext()
    torch.clear_autocast_cache()
    collecting = gc.isenabled()
    gc.disable()  # the record only grows: looking it through again and again would make a long trace quadratic
    try:
        watching.enter_context(hooked(recorder.enter, recorder.leave))
        train = True if backward and train is None else train
        if train is not None:
            for m, _ in flags:
                m.training = train
        made = {}

        def convert(t):
            if id(t) not in made:
                made[id(t)] = recorder.add_input(t)
            return made[id(t)]

        args, kw = _map(convert, (tuple(inputs), dict(kwargs or {})))
        if not backward:
            recorder.lend_all(model)
        in_ids = tuple(t._costlab for t in made.values())
        plain = contextlib.nullcontext() if fused else _composite(any(isinstance(m, torch.nn.RNNBase) for m, _ in flags))
        saved = {}  # memory -> tensor index: views of one tensor are kept once
        if backward:
            lent = recorder.lend_parameters(model)
            leaves = [t for t in dict.fromkeys(lent.values()) if t.requires_grad]

            parameters = {t.untyped_storage()._cdata for t in lent.values()}

            def keep(t):
                index, memory = getattr(t, "_costlab", None), t.untyped_storage()._cdata
                index = recorder.by_memory.get(_memory(t)) if index is None else index
                if index is not None and memory not in parameters:  # which are kept anyway
                    saved.setdefault(memory, index)
                return t
            with torch.enable_grad(), plain, home, recorder:
                with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
                    out = torch.func.functional_call(model, lent, args, kw)
                recorder.run_backward(out, leaves)
        else:
            with torch.no_grad(), plain, home, recorder:
                out = model(*args, **kw)
    except TraceError:
        raise
    except Exception as e:
        where = recorder.failed or type(model).__name__
        hint = "; the model needs real values, so trace it with device cpu" if device == "meta" and "meta" in str(e).lower() else ""
        first = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
        if recorder.current:
            name, ids = recorder.current
            hint = f" ({name} on {', '.join('x'.join(map(str, recorder.tensors[i][0])) or 'a scalar' for i in ids)})" + hint
        raise TraceError(f"the model failed in {where}: {type(e).__name__}: {first}{hint}") from e
    finally:
        if collecting:
            gc.enable()
        kept.restore()
        recorder.restore()
        torch.clear_autocast_cache()
        watching.close()
        for m, was in flags:
            m.training = was
        torch.set_rng_state(rng)
        if cuda_rng is not None:
            torch.cuda.set_rng_state_all(cuda_rng)
    tensors = tuple(Tensor(*t) for t in recorder.tensors)
    params = tuple(Param(tuple(recorder.param_names[id(p)]), tensors[t].shape, tensors[t].dtype, t) for p, t in recorder.params)
    name = torch.cuda.get_device_name() if device == "cuda" else device
    provenance = {
        "model": spec or type(model).__name__,
        "inputs": [["x".join(map(str, tensors[i].shape)), tensors[i].dtype] for i in in_ids],
        "device": name, "torch": torch.__version__, "costlab": __version__,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
    out_ids = [t._costlab for t in _each(out) if hasattr(t, "_costlab")]
    return Trace(tuple(recorder.ops), tensors, params, in_ids, tuple(out_ids), provenance, tuple(saved.values()))
