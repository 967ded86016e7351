"""Run a model once and record every operation as a dataflow graph (needs torch alone)."""
from ._record import Op, Param, Tensor, Trace, TraceFileError
from ._tracer import TraceError, trace

__all__ = ["Op", "Param", "Tensor", "Trace", "TraceError", "TraceFileError", "trace"]


class _Callable(type(__import__("sys"))):
    """`costlab.trace(...)` is the function although the package `costlab.trace` has the same name."""

    def __call__(self, *args, **kwargs):
        return trace(*args, **kwargs)


__import__("sys").modules[__name__].__class__ = _Callable
