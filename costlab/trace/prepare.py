"""Sets a process and a model up for a run: modes, hooks and plain forms, and what puts everything
back afterwards."""

from __future__ import annotations

import contextlib
import gc
import sys
from typing import Any

import torch
from torch import nn

from . import patches
from .modules import hooked, modules_of, named_tensors
from .recorder import Recorder
from .request import Options
from .session import Snapshot, random_state


def restore_afterwards(
    session: contextlib.ExitStack, recorder: Recorder, model: nn.Module, inputs: tuple[Any, ...]
) -> None:
    """Have everything put back when the session ends, from the last to the first, whatever
    fails."""
    flags = [(m, m.training) for m in modules_of(model) if hasattr(m, "training")]
    session.callback(random_state(recorder.device))
    session.callback(_restore_flags, flags)
    session.callback(sys.setrecursionlimit, sys.getrecursionlimit())
    # recording adds calls to each of the model's
    sys.setrecursionlimit(2 * sys.getrecursionlimit())
    session.callback(torch.clear_autocast_cache)
    session.callback(recorder.table.own_memory.restore)
    session.callback(Snapshot(model, *inputs).restore)
    torch.clear_autocast_cache()  # casts that autocast keeps are of another run
    if gc.isenabled():
        # the record only grows: looking it through again and again makes a long trace quadratic
        gc.disable()
        session.callback(gc.enable)


def _restore_flags(flags: list[tuple[nn.Module, bool]]) -> None:
    for m, before in flags:
        if getattr(m, "training", None) is not before:
            m.training = before


def prepare(
    session: contextlib.ExitStack, recorder: Recorder, model: nn.Module, options: Options
) -> None:
    """Set modes, hooks and plain forms for the run."""
    session.enter_context(patches.inference_mode_without_its_tensors())
    if recorder.device == "meta":
        session.enter_context(patches.autocast_refused())
        session.enter_context(patches.constants_known())
    # batch norm's schema does not say that it writes them
    for _, buffer in named_tensors(model, "_buffers"):
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
        recurrent = any(isinstance(m, nn.RNNBase) for m in modules)
        session.enter_context(patches.plain(recurrent))
    session.enter_context(patches.jagged_attention())
    session.enter_context(patches.parameters_followed(recorder.table.follow))
    session.enter_context(patches.threads_noticed(recorder.notice_elsewhere))
    session.enter_context(patches.graphs_refused())
    if "torch._dynamo" in sys.modules:  # what is compiled inside runs as it was written
        session.enter_context(torch.compiler.set_stance("force_eager"))
