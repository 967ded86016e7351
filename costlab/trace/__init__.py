"""Run a model once and record every operation as a dataflow graph. Tracing needs torch, a saved
trace opens without."""

from typing import TYPE_CHECKING

from .._callable import callable_as
from .record import (
    Account,
    Measured,
    ModuleTime,
    Op,
    OpTime,
    Param,
    Source,
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
    "Source",
    "Tensor",
    "Timing",
    "Trace",
    "TraceError",
    "TraceFileError",
    "trace",
]


if TYPE_CHECKING:
    from .tracer import trace as trace


def __getattr__(name: str) -> object:
    if name != "trace":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .tracer import trace

    return trace


callable_as(__name__, "costlab.api:trace")
