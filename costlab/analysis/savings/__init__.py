"""What a change of a module saves in multiply-adds, and what it saves in measured time."""

from .folder import TimeSavings, time_savings
from .pairs import factorization_savings, front_first, grid_savings, side
from .record import Saving, Savings, Side
from .sheets import further_sheet, joined_sheet

__all__ = [
    "Saving",
    "Savings",
    "Side",
    "TimeSavings",
    "factorization_savings",
    "front_first",
    "further_sheet",
    "grid_savings",
    "joined_sheet",
    "side",
    "time_savings",
]
