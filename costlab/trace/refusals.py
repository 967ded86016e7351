"""Models that cannot be traced truthfully: each is refused with what to do about it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .failures import shortened
from .modules import modules_of, named_tensors
from .record import TraceError


def refuse_transforms() -> None:
    """Raises TraceError inside `torch.func.vmap`, `grad` and the like, where each tensor stands for
    several, or for a value and its derivative."""
    # torch has no public way to ask
    transforms: Any = vars(torch._C)["_functorch"]  # pyright: ignore[reportPrivateUsage]
    if transforms.peek_interpreter_stack() is not None:
        raise TraceError(
            "a model cannot be traced inside a transform of torch.func (vmap, grad, jvp); trace it "
            "outside, or trace a module that applies the transform"
        )


def refuse_fake_tensors() -> None:
    """Raises TraceError under torch's FakeTensorMode, whose tensors mix with no others: the model's
    own would have to be of it."""
    # torch has no public way to ask
    native: Any = torch._C  # pyright: ignore[reportPrivateUsage]
    if native._get_dispatch_mode(native._TorchDispatchModeKey.FAKE) is not None:
        raise TraceError(
            "a model cannot be traced under FakeTensorMode; trace it outside, with device meta, "
            "which needs no memory either"
        )


def refuse_lazy(model: nn.Module) -> None:
    """Raises TraceError for parameters and buffers that have no shape yet."""
    for name, t in named_tensors(model, "_parameters", "_buffers"):
        if nn.parameter.is_lazy(t):
            raise TraceError(
                f"{name} has no shape yet (a lazy module); run the model once on real inputs "
                "before tracing it"
            )


def refuse_hidden_products(model: nn.Module) -> None:
    """Raises TraceError for TorchScript's convolutions of oneDNN, which run without a dispatch."""
    for m in modules_of(model):
        graph = getattr(m, "graph", None) if isinstance(m, torch.jit.ScriptModule) else None
        if graph is not None and graph.findAllNodes("prim::mkldnn_convolution"):
            raise TraceError(
                "torch.jit.optimize_for_inference hides the products of this model; trace it as it "
                "was before"
            )


def refuse_threads(unseen: str | None) -> None:
    """Raises TraceError where `unseen`, a module, ran in a thread that is not recorded."""
    if unseen is not None:
        raise TraceError(
            f"the model runs {shortened(unseen)} in another thread, where torch reports "
            "its operations to no recorder; call it in the thread of forward"
        )
