"""`trace`: run a model once, record what it did, and leave it as it was."""

from __future__ import annotations

import contextlib
import datetime
import gc
import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch

from .._version import __version__
from . import exported, patches
from .backward import ForwardOps, SavedTensors, run_backward
from .facts import Provenance
from .failures import failure, shortened, words_of
from .jagged import is_jagged, map_parts, values_of
from .modules import hooked, modules_of, named_tensors
from .nested import each, map_tensors
from .origins import traced_code
from .record import Trace, TraceError
from .recorder import Recorder
from .session import Snapshot, random_state

__all__ = ["TraceError", "resolve_device", "trace"]


_NO_GRADIENT = "does not require grad and does not have a grad_fn"  # autograd's own words


class _NeedsGradientsError(Exception):
    """The model asks for gradients in `forward`: it is to be traced with them."""


@dataclass(frozen=True)
class _Options:
    """How a model is traced; see `trace`. `gradients`: with autograd in the forward pass alone."""

    device: str
    spec: str
    train: bool | None
    fused: bool
    backward: bool
    gradients: bool = False


class _Ran(NamedTuple):
    """What a run gave beside its operations: indices of inputs, outputs, tensors kept for the
    backward pass, and parameters that got a gradient."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    saved: tuple[int, ...] = ()
    gradients: tuple[int, ...] = ()


def trace(
    model: Any,
    inputs: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    device: str | torch.device = "auto",
    spec: str | None = None,
    train: bool | None = None,
    fused: bool = False,
    backward: bool = False,
) -> Trace:
    """Run `model` once and record what it did.

    Args:
        model: any `torch.nn.Module`; it is left exactly as it was, also when the run fails. Or a
            program of torch.export, which needs no inputs where it has those it was exported with.
        inputs: a tensor, a tuple of positional inputs, or a dict of keyword inputs; nested values
            are fine.
        kwargs: keyword inputs beside positional ones.
        device: "cuda", "cpu", "meta" (shapes only, no arithmetic) or "auto" (CUDA where there is
            one, otherwise where the model's parameters are).
        spec: how the model was named, for the provenance.
        train: None keeps the model's own flags.
        fused: let torch choose fused attention and recurrent kernels, which differ by device,
            instead of the plain forms.
        backward: trace the backward pass too, in training mode unless `train` is False; `Op.of`
            tells the two apart.

    Raises:
        TraceError: the device is missing, or the model failed on these inputs.
    """
    if exported.is_program(model):
        if isinstance(inputs, tuple) and not inputs and not kwargs:
            inputs, kwargs = exported.example_inputs(model)
        spec, model = spec or "a program of torch.export", exported.module_of(model)
    if not isinstance(model, torch.nn.Module):
        raise TraceError(f"expected a torch.nn.Module, got {type(model).__name__}")
    device = resolve_device(model, device)
    options = _Options(
        device=device,
        spec=spec or type(model).__name__,
        train=True if backward and train is None else train,
        fused=fused,
        backward=backward,
    )
    model, arguments = _unwrapped(model), _arguments(inputs, kwargs)
    try:
        return _trace_once(model, arguments, options)
    except _NeedsGradientsError:
        return _trace_once(model, arguments, replace(options, gradients=True))


def _trace_once(model, arguments, options) -> Trace:
    recorder = None
    try:
        _refuse_lazy(model)
        _refuse_hidden_products(model)
        recorder = Recorder(model, options.device)
        with contextlib.ExitStack() as session:
            _watch(session, recorder, model, arguments)
            _prepare(session, recorder, model, options)
            ran = _run(recorder, model, arguments, options)
            _refuse_threads(recorder)
    except (TraceError, _NeedsGradientsError):
        raise
    except (Exception, SystemExit) as e:
        if not options.gradients and not options.backward and _NO_GRADIENT in words_of(e):
            raise _NeedsGradientsError from e
        raise TraceError(failure(recorder, model, e)) from e
    return Trace(
        ops=tuple(recorder.ops),
        tensors=tuple(recorder.table.tensors),
        params=recorder.table.params(),
        inputs=ran.inputs,
        outputs=ran.outputs,
        provenance=_provenance(recorder, options.spec, ran.inputs),
        saved=ran.saved,
        gradients=ran.gradients,
    )


def _unwrapped(model):
    """The model that `torch.compile` wrapped: a compiler cannot look through a recorder."""
    dynamo = sys.modules.get("torch._dynamo.eval_frame")
    if dynamo is not None and isinstance(model, dynamo.OptimizedModule):
        return model._orig_mod
    return model


def resolve_device(model, device) -> str:
    """The kind of device that "auto" or a name stands for. Raises TraceError for an unknown or a
    missing one."""
    device = str(device)
    if device.startswith("cuda:") or device == "cpu:0":
        device = device.partition(":")[0]
    if device not in ("auto", "cuda", "cpu", "meta"):
        raise TraceError(f"unknown device {device!r}; choose cuda, cpu, meta or auto")
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        first = next(named_tensors(model, "_parameters"), None)
        return "cpu" if first is None else first[1].device.type
    if device == "cuda" and not torch.cuda.is_available():
        raise TraceError(
            "device cuda was asked for, but torch sees no CUDA device; use --device cpu or meta"
        )
    return device


def _arguments(inputs, kwargs) -> tuple[tuple, dict]:
    if isinstance(inputs, Mapping):
        return (), {**inputs, **(kwargs or {})}
    if not isinstance(inputs, (tuple, list)):
        inputs = (inputs,)
    if len(inputs) > 1 and all(type(n) is int for n in inputs):
        raise TraceError("inputs takes tensors; for a shape use costlab.summary(model, shape)")
    return tuple(inputs), dict(kwargs or {})


def _refuse_lazy(model) -> None:
    for name, t in named_tensors(model, "_parameters", "_buffers"):
        if torch.nn.parameter.is_lazy(t):
            raise TraceError(
                f"{name} has no shape yet (a lazy module); run the model once on real inputs "
                "before tracing it"
            )


def _refuse_hidden_products(model) -> None:
    """TorchScript's convolutions of oneDNN run without a dispatch."""
    for m in modules_of(model):
        graph = getattr(m, "graph", None) if isinstance(m, torch.jit.ScriptModule) else None
        if graph is not None and graph.findAllNodes("prim::mkldnn_convolution"):
            raise TraceError(
                "torch.jit.optimize_for_inference hides the products of this model; trace it as it "
                "was before"
            )


def _refuse_threads(recorder) -> None:
    if recorder.unseen is not None:
        raise TraceError(
            f"the model runs {shortened(recorder.unseen)} in another thread, where torch shows "
            "its operations to no recorder; call it in the thread of forward"
        )


def _watch(session, recorder, model, inputs) -> None:
    """Have everything put back when the session ends, from the last to the first, whatever
    fails."""
    flags = [(m, m.training) for m in modules_of(model) if hasattr(m, "training")]
    session.callback(random_state(recorder.device))
    session.callback(_restore_flags, flags)
    session.callback(sys.setrecursionlimit, sys.getrecursionlimit())
    sys.setrecursionlimit(
        2 * sys.getrecursionlimit()
    )  # recording adds calls to each of the model's
    session.callback(torch.clear_autocast_cache)
    session.callback(recorder.table.restore_memory)
    session.callback(Snapshot(model, *inputs).restore)
    torch.clear_autocast_cache()  # casts that autocast keeps are of another run
    if gc.isenabled():
        # the record only grows: looking it through again and again makes a long trace quadratic
        gc.disable()
        session.callback(gc.enable)


def _restore_flags(flags) -> None:
    for m, before in flags:
        if getattr(m, "training", None) is not before:
            m.training = before


def _prepare(session, recorder, model, options) -> None:
    """Set modes, hooks and plain forms for the run."""
    if recorder.device == "meta":
        session.enter_context(patches.autocast_refused())
        session.enter_context(patches.constants_known())
    for _, buffer in named_tensors(
        model, "_buffers"
    ):  # batch norm's schema does not say that it writes them
        recorder.table.clone_to_write(recorder.table.add_outside(buffer))
    session.enter_context(hooked(recorder.enter, recorder.leave))
    modules = modules_of(model)
    if options.train is not None:
        for m in modules:
            if hasattr(m, "training"):  # frozen TorchScript has none
                m.training = options.train
    if recorder.device == "cuda" and any(
        p.device.type != "cuda" for _, p in named_tensors(model, "_parameters")
    ):
        # a CPU model on a GPU: what it makes for itself is made there too
        session.enter_context(torch.device("cuda"))
    if not options.fused:
        recurrent = any(isinstance(m, torch.nn.RNNBase) for m in modules)
        session.enter_context(patches.plain(recurrent))
    session.enter_context(patches.jagged_attention())
    session.enter_context(patches.parameters_followed(recorder.table.follow))
    session.enter_context(patches.threads_noticed(recorder.notice_elsewhere))
    session.enter_context(patches.graphs_refused())
    if "torch._dynamo" in sys.modules:  # what is compiled inside runs as it was written
        session.enter_context(torch.compiler.set_stance("force_eager"))


def _run(recorder, model, arguments, options) -> _Ran:
    table, given = recorder.table, {}
    autograd = options.backward or options.gradients

    def convert(t):
        if is_jagged(t):
            return map_parts(convert, t)
        if id(t) not in given:
            given[id(t)] = table.add_input(t, autograd)
        return given[id(t)]

    args, kwargs = map_tensors(convert, arguments)
    leaves: list[torch.nn.Parameter] = []
    if autograd:
        leaves = table.replace_to_train(model)
    else:
        table.replace_tensors_elsewhere(model)
    inputs = tuple(map(table.index_of, given.values()))
    if not options.backward:
        with torch.set_grad_enabled(autograd), recorder:
            out = traced_code(lambda: _tensors_of(model(*args, **kwargs)))
        return _Ran(inputs, _outputs(table, out))
    saved = SavedTensors(table, leaves)
    recorder.forward_ops = ForwardOps()
    wanted = [t for t in given.values() if t.requires_grad]
    with torch.enable_grad(), recorder:
        with torch.autograd.graph.saved_tensors_hooks(saved.add, lambda t: t):
            out = traced_code(lambda: _tensors_of(model(*args, **kwargs)))
        gradients = traced_code(lambda: run_backward(recorder, out, leaves, wanted))
    return _Ran(inputs, _outputs(table, out), saved.indices, gradients)


def _tensors_of(out) -> list[torch.Tensor]:
    """The tensors of a model's output, whose generators run while what they do is recorded."""
    if inspect.iscoroutine(out):
        out.close()
        raise TraceError(
            "forward is asynchronous and gave a coroutine; trace a module whose forward awaits it"
        )
    return each(out, run_iterators=True)


def _outputs(table, out) -> tuple[int, ...]:
    indices = (table.index_of(values_of(t)) for t in out)
    return tuple(i for i in indices if i is not None)


def _provenance(recorder: Recorder, name: str, inputs: Sequence[int]) -> Provenance:
    tensors = recorder.table.tensors
    on_cuda = recorder.device == "cuda"
    return {
        "model": name,
        "inputs": [["x".join(map(str, tensors[i].shape)), tensors[i].dtype] for i in inputs],
        "device": torch.cuda.get_device_name() if on_cuda else recorder.device,
        "torch": torch.__version__,
        "costlab": __version__,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
