"""One formula per operation, the totals, and the counting conventions. Needs no torch."""

from . import formulas  # noqa: F401  fills the registry
from ._bytes import GATHERS
from ._convention import CONVENTIONS, Convention
from ._cost import Cost, Total, UnknownOpError, cost_of, total
from ._formula import Work, formula
from ._memory import VIEWS, size_of
from ._roles import constant_operands, is_weight, role_of
from ._training import OPTIMIZERS, Training, training
from ._units import scaled, short
from .formulas.detection import DATA_DEPENDENT

__all__ = [
    "CONVENTIONS",
    "DATA_DEPENDENT",
    "GATHERS",
    "OPTIMIZERS",
    "VIEWS",
    "Convention",
    "Cost",
    "Total",
    "Training",
    "UnknownOpError",
    "Work",
    "constant_operands",
    "cost_of",
    "formula",
    "is_weight",
    "role_of",
    "scaled",
    "short",
    "size_of",
    "total",
    "training",
]
