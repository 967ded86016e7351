"""Every change that costlab makes to torch's global functions and settings, with its reason.

Changes are made under one lock and undone in the reverse order, whatever fails. A replaced function
is seen by the thread that replaced it alone: any other thread keeps torch's own. So models can be
traced from several threads: one waits for the other.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType
from typing import Any, NamedTuple, cast

import torch
from torch import (
    _C,  # pyright: ignore[reportPrivateUsage] functions that only it has
    _VF,  # pyright: ignore[reportPrivateUsage] the recurrent layers of torch.nn call it
    nn,
)

from . import jagged, plain_forms
from .record import TraceError
from .threads import noticed

LOCK = threading.RLock()
NO_AUTOCAST = (
    "autocast works on real devices only, so the model needs real values: trace it with device cpu"
)
_ABSENT = object()


@contextlib.contextmanager
def _replaced(
    owner: ModuleType | type, name: str, replacement: Callable[..., Any]
) -> Generator[None]:
    """`owner.name` is `replacement`, for this thread."""
    original: Callable[..., Any] = getattr(owner, name)
    thread = threading.get_ident()
    own = vars(owner).get(name, _ABSENT)

    def chosen(*args: Any, **kwargs: Any) -> Any:
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
def plain(recurrent: bool) -> Generator[None]:
    """Fused attention and recurrent kernels hide their products, and which fusion runs differs by
    device: everything runs in plain forms. `recurrent`: the model has recurrent layers."""
    with LOCK, contextlib.ExitStack() as changes:
        for change in (
            # steps that differ by device
            _replaced(nn.functional, "one_hot", plain_forms.one_hot),
            _replaced(_VF, "_pad_packed_sequence", plain_forms.pad_packed),
            _replaced(_VF, "lstm_cell", plain_forms.lstm_cell),
            _replaced(_VF, "gru_cell", plain_forms.gru_cell),
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
                changes.enter_context(_replaced(_VF, name, form))
        yield


@contextlib.contextmanager
def jagged_attention() -> Generator[None]:
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


def _not_compiled(model: Callable[..., Any] | None = None, **_: object) -> Callable[..., Any]:
    def unchanged(fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn

    return unchanged if model is None else model


def _on_one_device(parallel: nn.DataParallel[nn.Module], *inputs: Any, **kwargs: Any) -> Any:
    return parallel.module(*inputs, **kwargs)


class _Setting(NamedTuple):
    """A switch of the process: what sets it, and how it stood."""

    set: Callable[[bool], object]
    before: bool


@contextlib.contextmanager
def _off(settings: Sequence[_Setting]) -> Generator[None]:
    try:
        for setting in settings:
            setting.set(False)
        yield
    finally:
        for setting in settings:
            setting.set(setting.before)


def _fused_attention_off() -> contextlib.AbstractContextManager[None]:
    """Another thread that runs attention meanwhile gets the same values by the plain form."""
    cuda, mha = torch.backends.cuda, torch.backends.mha
    return _off(
        (
            _Setting(cuda.enable_flash_sdp, cuda.flash_sdp_enabled()),
            _Setting(cuda.enable_mem_efficient_sdp, cuda.mem_efficient_sdp_enabled()),
            _Setting(cuda.enable_cudnn_sdp, cuda.cudnn_sdp_enabled()),
            _Setting(mha.set_fastpath_enabled, mha.get_fastpath_enabled()),
        )
    )


def _libraries_off() -> contextlib.AbstractContextManager[None]:
    """oneDNN and cuDNN have recurrent layers of their own, which would not reach the plain
    forms."""
    torch_c: Any = _C  # its own names of these settings; torch.backends may have frozen its
    return _off(
        (
            _Setting(torch_c._set_mkldnn_enabled, torch_c._get_mkldnn_enabled()),
            _Setting(torch_c._set_cudnn_enabled, torch_c._get_cudnn_enabled()),
        )
    )


@contextlib.contextmanager
def autocast_refused() -> Generator[None]:
    """On `meta` autocast does nothing, so dtypes would be others than on a device: refused, and the
    command line then runs on the CPU. Raises TraceError where it is on already."""
    if any(torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")):
        raise TraceError(NO_AUTOCAST)
    enter = torch.autocast.__enter__

    def refuse(self: torch.autocast) -> object:
        if self._enabled:  # pyright: ignore[reportPrivateUsage]
            raise TraceError(NO_AUTOCAST)
        return enter(self)

    with LOCK, _replaced(torch.autocast, "__enter__", refuse):
        yield


@contextlib.contextmanager
def constants_known() -> Generator[None]:
    """Integers that a model states by `torch.tensor(..., device="meta")` never reach a dispatch
    mode, and are lost: they are created on the CPU, where the recorder reads them."""
    make = torch.tensor

    def tensor(data: Any, **kwargs: Any) -> torch.Tensor:
        created = make(data, **kwargs)
        if created.is_meta and not created.is_floating_point():
            with contextlib.suppress(RuntimeError):  # of tensors on meta there are no values
                on_cpu: dict[str, Any] = {**kwargs, "device": "cpu"}
                return make(data, **on_cpu)
        return created

    with LOCK, _replaced(torch, "tensor", tensor):
        yield


@contextlib.contextmanager
def parameters_followed(
    follow: Callable[[nn.Parameter, torch.Tensor], None],
) -> Generator[None]:
    """`follow(parameter, data)` of every parameter that is made: torch makes one of a tensor below
    what a dispatch mode sees, and a model may put it in the place of one that is registered."""
    make = cast("Callable[..., nn.Parameter]", nn.Parameter.__new__)  # pyright: ignore[reportUnknownMemberType] no types

    def new(
        cls: type[nn.Parameter], data: torch.Tensor | None = None, requires_grad: bool = True
    ) -> nn.Parameter:
        created = make(cls, data, requires_grad)
        if data is not None:
            follow(created, data)
        return created

    with LOCK, _replaced(nn.Parameter, "__new__", new):
        yield


@contextlib.contextmanager
def threads_noticed(notice: Callable[[str], None]) -> Generator[None]:
    """`notice(name)` of every operation in a thread that the model starts, or gives work to: no
    recorder sees it."""
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit
    filling_a_pool = False

    def start_noticed(thread: threading.Thread) -> None:
        if not filling_a_pool:  # its threads outlive the work that they get
            thread.run = noticed(thread.run, notice)
        start(thread)

    def submit_noticed(
        pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
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
def inference_mode_without_its_tensors() -> Generator[None]:
    """Inference mode makes tensors that do not say what they are a view of, so that what writes a
    view is lost, and leaves composite operations whole: a run in it, or a part of one, only has its
    gradients off."""

    def gradients_only(mode: bool) -> torch.set_grad_enabled:
        return torch.set_grad_enabled(not mode)

    normal = torch.inference_mode(False)
    with LOCK, normal, _replaced(_C, "_InferenceMode", gradients_only):
        yield


@contextlib.contextmanager
def graphs_refused() -> Generator[None]:
    """torch.fx runs a model to write its graph (make_fx, torch.func.linearize). Those runs are no
    work of the model's, and differ by device. Raises TraceError where the model does so."""
    from torch.fx.experimental import proxy_tensor

    def refuse(*_: object, **__: object) -> None:
        raise TraceError(
            "the model has torch.fx write a graph in forward (make_fx, torch.func.linearize), "
            "which runs it several times; for a derivative use torch.func.jvp or vjp"
        )

    tracer = proxy_tensor._MakefxTracer  # pyright: ignore[reportPrivateUsage]
    with LOCK, _replaced(tracer, "trace", refuse):
        yield
