"""`trace`: run a model once, record what it did, and leave it as it was."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from .._version import __version__
from .facts import Provenance
from .failures import failure, words_of
from .patches import LOCK
from .prepare import prepare, restore_afterwards
from .record import Trace, TraceError
from .recorder import Recorder
from .refusals import (
    refuse_fake_tensors,
    refuse_hidden_products,
    refuse_lazy,
    refuse_threads,
    refuse_transforms,
)
from .request import (
    Arguments,
    Options,
    arguments_of,
    model_and_inputs,
    name_of,
    resolve_device,
    unwrapped,
)
from .run import run

__all__ = ["TraceError", "resolve_device", "trace"]

_NO_GRADIENT = "does not require grad and does not have a grad_fn"  # autograd's own words


class _NeedsGradientsError(Exception):
    """The model asks for gradients in `forward`: it is to be traced with them."""


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
        kwargs: keyword inputs, besides positional ones.
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
    name = spec or name_of(model)
    model, inputs, kwargs = model_and_inputs(model, inputs, kwargs)
    options = Options(
        device=resolve_device(model, device),
        spec=name,
        train=True if backward and train is None else train,
        fused=fused,
        backward=backward,
    )
    model, arguments = unwrapped(model), arguments_of(inputs, kwargs)
    with LOCK:  # what is put back is what there was before another thread's run, or after it
        try:
            return _trace_once(model, arguments, options)
        except _NeedsGradientsError:
            return _trace_once(model, arguments, replace(options, gradients=True))


def _trace_once(model: nn.Module, arguments: Arguments, options: Options) -> Trace:
    recorder = None
    try:
        refuse_transforms()
        refuse_fake_tensors()
        refuse_lazy(model)
        refuse_hidden_products(model)
        recorder = Recorder(model, options.device)
        with contextlib.ExitStack() as session:
            restore_afterwards(session, recorder, model, arguments)
            prepare(session, recorder, model, options)
            ran = run(recorder, model, arguments, options)
            refuse_threads(recorder.unseen)
    except (TraceError, _NeedsGradientsError):
        raise
    except (Exception, SystemExit) as e:
        if not options.gradients and not options.backward and _NO_GRADIENT in words_of(e):
            raise _NeedsGradientsError from e
        raise TraceError(failure(recorder, model, e)) from e
    return Trace(
        ops=tuple(recorder.log.ops),
        tensors=tuple(recorder.table.tensors),
        params=recorder.table.params(),
        inputs=ran.inputs,
        outputs=ran.outputs,
        provenance=_provenance(recorder, options.spec, ran.inputs),
        saved=ran.saved,
        gradients=ran.gradients,
    )


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
