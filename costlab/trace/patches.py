"""Every change that costlab makes to torch's global functions and settings, with its reason.

Changes are made under one lock and undone in the reverse order, whatever fails. A replaced function
is seen by the thread that replaced it alone: any other thread keeps torch's own. So models can be
traced from several threads: one waits for the other.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn

from . import jagged, plain_forms
from .record import TraceError
from .threads import noticed

LOCK = threading.RLock()
NO_AUTOCAST = (
    "autocast works on real devices only, so the model needs real values: trace it with device cpu"
)
_ABSENT = object()


@contextlib.contextmanager
def _replaced(owner, name, replacement):
    """`owner.name` is `replacement`, for this thread."""
    original, thread = getattr(owner, name), threading.get_ident()
    own = vars(owner).get(name, _ABSENT)

    def chosen(*args, **kwargs):
        mine = threading.get_ident() == thread
        return (replacement if mine else original)(*args, **kwargs)

    setattr(owner, name, chosen)
    try:
        yield
    finally:
        if own is _ABSENT:  # torch._VF finds its functions by __getattr__
            delattr(owner, name)
        else:
            setattr(owner, name, own)


@contextlib.contextmanager
def plain(recurrent: bool):
    """Fused attention and recurrent kernels hide their products, and which fusion runs differs by
    device: everything runs in plain forms. `recurrent`: the model has recurrent layers."""
    with LOCK, contextlib.ExitStack() as changes:
        for change in (
            # steps that differ by device
            _replaced(nn.functional, "one_hot", plain_forms.one_hot),
            _replaced(torch._VF, "_pad_packed_sequence", plain_forms.pad_packed),
            _replaced(torch._VF, "lstm_cell", plain_forms.lstm_cell),
            _replaced(torch._VF, "gru_cell", plain_forms.gru_cell),
            _replaced(torch, "rms_norm", plain_forms.rms_norm),
            # torch.cond and flex_attention compile what they get, and a compiler cannot look
            # through a recorder
            _replaced(torch, "compile", _not_compiled),
            # replicas on several GPUs run in threads, which nothing records
            _replaced(nn.DataParallel, "forward", _on_one_device),
            _fused_attention_off(),
        ):
            changes.enter_context(change)
        if recurrent:
            changes.enter_context(_libraries_off())
            for name, form in plain_forms.recurrent_layers().items():
                changes.enter_context(_replaced(torch._VF, name, form))
        yield


@contextlib.contextmanager
def jagged_attention():
    """Attention of jagged tensors by sequence, also where torch may choose fused kernels: those for
    jagged tensors differ by device, and refuse tensors without values."""
    of_nested = sys.modules.get("torch.nested._internal.ops")
    if of_nested is None:
        yield
        return
    name = "jagged_scaled_dot_product_attention"
    by_sequence = jagged.attention(getattr(of_nested, name))
    with LOCK, _replaced(of_nested, name, by_sequence):
        yield


def _not_compiled(model=None, **_):
    return model if model is not None else lambda fn: fn


def _on_one_device(parallel, *inputs, **kwargs):
    return parallel.module(*inputs, **kwargs)


@contextlib.contextmanager
def _fused_attention_off():
    """Settings of the process: another thread that runs attention meanwhile gets the same values by
    the plain form."""
    cuda, mha = torch.backends.cuda, torch.backends.mha
    settings = (
        (cuda.enable_flash_sdp, cuda.flash_sdp_enabled()),
        (cuda.enable_mem_efficient_sdp, cuda.mem_efficient_sdp_enabled()),
        (cuda.enable_cudnn_sdp, cuda.cudnn_sdp_enabled()),
        (mha.set_fastpath_enabled, mha.get_fastpath_enabled()),
    )
    try:
        for enable, _ in settings:
            enable(False)
        yield
    finally:
        for enable, before in settings:
            enable(before)


@contextlib.contextmanager
def _libraries_off():
    """oneDNN and cuDNN have recurrent layers of their own, which would not reach the plain
    forms."""
    mkldnn, cudnn = torch._C._get_mkldnn_enabled(), torch._C._get_cudnn_enabled()
    try:
        torch._C._set_mkldnn_enabled(False)
        torch._C._set_cudnn_enabled(False)
        yield
    finally:
        torch._C._set_mkldnn_enabled(mkldnn)
        torch._C._set_cudnn_enabled(cudnn)


@contextlib.contextmanager
def autocast_refused():
    """On `meta` autocast does nothing, so dtypes would be others than on a device: refused, and the
    command line then runs on the CPU. Raises TraceError where it is on already."""
    if any(torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")):
        raise TraceError(NO_AUTOCAST)
    enter = torch.autocast.__enter__

    def refuse(self):
        if self._enabled:
            raise TraceError(NO_AUTOCAST)
        return enter(self)

    with LOCK, _replaced(torch.autocast, "__enter__", refuse):
        yield


@contextlib.contextmanager
def constants_known():
    """Integers that a model states by `torch.tensor(..., device="meta")` never reach a dispatch
    mode, and are lost: they are created on the CPU, where the recorder reads them."""
    make = torch.tensor

    def tensor(data, **kwargs):
        created = make(data, **kwargs)
        if created.is_meta and not created.is_floating_point():
            with contextlib.suppress(RuntimeError):  # of tensors on meta there are no values
                return make(data, **{**kwargs, "device": "cpu"})
        return created

    with LOCK, _replaced(torch, "tensor", tensor):
        yield


@contextlib.contextmanager
def parameters_followed(
    follow: Callable[[nn.Parameter, torch.Tensor], None],
) -> Generator[None]:
    """`follow(parameter, data)` of every parameter that is made: torch makes one of a tensor below
    what a dispatch mode sees, and a model may put it in the place of one that is registered."""
    make = nn.Parameter.__new__

    def new(cls, data=None, requires_grad=True):
        created = make(cls, data, requires_grad)
        if data is not None:
            follow(created, data)
        return created

    with LOCK, _replaced(nn.Parameter, "__new__", new):
        yield


@contextlib.contextmanager
def threads_noticed(notice: Callable[[str], None]):
    """`notice(name)` of every operation in a thread that the model starts, or gives work to: no
    recorder sees it."""
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit
    filling_a_pool = False

    def start_noticed(thread):
        if not filling_a_pool:  # its threads outlive the work that they get
            thread.run = noticed(thread.run, notice)
        start(thread)

    def submit_noticed(pool, fn, /, *args, **kwargs):
        nonlocal filling_a_pool
        filling_a_pool = True
        try:
            return submit(pool, noticed(fn, notice), *args, **kwargs)
        finally:
            filling_a_pool = False

    with (
        LOCK,
        _replaced(threading.Thread, "start", start_noticed),
        _replaced(ThreadPoolExecutor, "submit", submit_noticed),
    ):
        yield


@contextlib.contextmanager
def inference_mode_without_its_tensors():
    """Inference mode makes tensors that do not say what they are a view of, so that what writes a
    view is lost, and leaves composite operations whole: a run in it, or a part of one, only has its
    gradients off."""

    def gradients_only(mode):
        return torch.set_grad_enabled(not mode)

    normal = torch.inference_mode(False)
    with LOCK, normal, _replaced(torch._C, "_InferenceMode", gradients_only):
        yield


@contextlib.contextmanager
def graphs_refused():
    """torch.fx runs a model to write its graph (make_fx, torch.func.linearize). Those runs are no
    work of the model's, and differ by device. Raises TraceError where the model does so."""
    from torch.fx.experimental import proxy_tensor

    def refuse(*_, **__):
        raise TraceError(
            "the model has torch.fx write a graph in forward (make_fx, torch.func.linearize), "
            "which runs it several times; for a derivative use torch.func.jvp or vjp"
        )

    with LOCK, _replaced(proxy_tensor._MakefxTracer, "trace", refuse):
        yield
