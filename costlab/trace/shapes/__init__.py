"""Output shapes of common operations on `meta`, so that the first trace of a process does not wait
for torch's own Python kernels, which import sympy and dynamo (as long as `import torch`). A rule
gives None for what it does not cover, and torch answers; tests hold every rule against torch's
shape, stride and dtype."""

from . import (  # each registers its rules
    pointwise as pointwise,
    products as products,
    windows as windows,
)
from .registry import find

__all__ = ["find"]
