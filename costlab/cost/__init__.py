"""One formula per operation, the totals, and the counting conventions. Needs no torch."""

from . import fitting as fitting  # checks traces that are read
from . import formulas as formulas  # fills the registry
from .constants import constant_operands
from .conventions import CONVENTIONS, Convention
from .executed import Effort, effort, partial_work
from .formulas.detection import DATA_DEPENDENT
from .op_cost import Cost, cost_of
from .operators import forms_of_params, operator_of
from .registry import Work, formula
from .roles import is_weight, role_of
from .sizes import VIEWS, size_of
from .totals import Total, UnknownOpError, total
from .traffic import GATHERS
from .training_step import OPTIMIZERS, Training, training
from .units import byte_size, counted, in_unit, scaled, short, three_digits

__all__ = [
    "CONVENTIONS",
    "DATA_DEPENDENT",
    "GATHERS",
    "OPTIMIZERS",
    "VIEWS",
    "Convention",
    "Cost",
    "Effort",
    "Total",
    "Training",
    "UnknownOpError",
    "Work",
    "byte_size",
    "constant_operands",
    "cost_of",
    "effort",
    "formula",
    "forms_of_params",
    "counted",
    "in_unit",
    "is_weight",
    "operator_of",
    "partial_work",
    "role_of",
    "scaled",
    "short",
    "size_of",
    "three_digits",
    "total",
    "training",
]
