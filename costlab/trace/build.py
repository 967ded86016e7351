"""Make a model without memory for its weights."""

from __future__ import annotations

import torch

from . import patches


def traced(make, shape, *, spec=None, backward=False, train=None):
    """The trace of what `make()` builds, on `meta`, for a float32 input of `shape`; in evaluation
    mode unless `backward` or `train` says otherwise."""
    from .tracer import trace

    return trace(
        build_on_meta(make).eval(),
        torch.empty(shape, device="meta"),
        device="meta",
        spec=spec,
        backward=backward,
        train=train,
    )


def build_on_meta(factory, **kwargs):
    """Call `factory(**kwargs)` with every parameter on `meta`.

    Some factories read tensor values while they build (RegNet's widths), which `meta` cannot give:
    those are built again with real tensors, each parameter going to `meta` as it is registered."""
    try:
        with torch.device("meta"):
            return factory(**kwargs)
    except Exception as e:  # a RuntimeError, NotImplementedError, or numpy's TypeError
        if "meta" not in str(e).lower():
            raise
    with patches.parameters_on_meta():
        return factory(**kwargs)
