"""The formulas, a family of operations a file. Importing this package fills the registry.

A formula works from shapes and recorded arguments alone. A MAC is two FLOPs; elementwise work has
FLOPs and no MACs; moving data has neither.
"""

from . import (  # noqa: F401  each registers its formulas
    attention,
    convolution,
    detection,
    elementwise,
    factorizations,
    interpolation,
    losses,
    movement,
    normalization,
    pooling,
    products,
    quantized,
    recurrent,
    reduction,
    transforms,
)
