"""Peak memory by liveness: which tensors are alive while each operation runs."""

from .estimate import memory
from .result import LiveTensor, Memory

__all__ = ["LiveTensor", "Memory", "memory"]
