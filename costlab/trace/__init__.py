"""Run a model once and record every operation as a dataflow graph. Tracing needs torch, a saved trace opens without."""

import sys
from types import ModuleType

from .record import (
    Account,
    Measured,
    ModuleTime,
    Op,
    OpTime,
    Param,
    Tensor,
    Timing,
    Trace,
    TraceError,
    TraceFileError,
)

__all__ = [
    "Account",
    "Measured",
    "ModuleTime",
    "Op",
    "OpTime",
    "Param",
    "Tensor",
    "Timing",
    "Trace",
    "TraceError",
    "TraceFileError",
    "trace",
]


def __getattr__(name):
    if name != "trace":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .tracer import trace

    return trace


class _Callable(ModuleType):
    """`costlab.trace(...)` is the function although the package `costlab.trace` has the same name."""

    def __call__(self, *args, **kwargs):
        from .tracer import trace

        return trace(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
