"""One formula per operation, the totals, and the counting conventions. Needs no torch."""

from . import _formulas  # noqa: F401  fills the registry
from ._convention import CONVENTIONS, Convention
from ._registry import (
    GATHERS,
    VIEWS,
    Cost,
    Total,
    UnknownOpError,
    cost_of,
    formula,
    is_weight,
    size_of,
    total,
)
from ._training import OPTIMIZERS, Training, training
from ._units import scaled, short

__all__ = [
    "CONVENTIONS",
    "GATHERS",
    "OPTIMIZERS",
    "VIEWS",
    "Convention",
    "Cost",
    "Total",
    "Training",
    "UnknownOpError",
    "cost_of",
    "formula",
    "is_weight",
    "scaled",
    "short",
    "size_of",
    "total",
    "training",
]
