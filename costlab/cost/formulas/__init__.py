"""The formulas, a family of operations a file. Importing this package fills the registry.

A formula works from shapes and recorded arguments alone. A MAC is two FLOPs; elementwise work has
FLOPs and no MACs; moving data has neither.
"""

from . import (  # each registers its formulas
    attention as attention,
    convolution as convolution,
    detection as detection,
    elementwise as elementwise,
    factorizations as factorizations,
    interpolation as interpolation,
    losses as losses,
    movement as movement,
    normalization as normalization,
    pooling as pooling,
    products as products,
    quantized as quantized,
    recurrent as recurrent,
    reduction as reduction,
    transforms as transforms,
)
