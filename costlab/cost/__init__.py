"""One formula per operation, the totals, and the counting conventions. Needs no torch."""
from . import _formulas  # noqa: F401  fills the registry
from ._convention import CONVENTIONS, Convention
from ._registry import Cost, Total, UnknownOpError, cost_of, formula, total

__all__ = ["CONVENTIONS", "Convention", "Cost", "Total", "UnknownOpError", "cost_of", "formula", "total"]
