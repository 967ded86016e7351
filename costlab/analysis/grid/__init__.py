"""Grid reductions: *Rethinking the Inception Architecture*, Section 5, Figures 9 and 10. The
schemes at one grid and widths, each traced, and the places of a model where its grid shrinks."""

from .result import GridReduction, Scheme
from .reductions import Reduction, reductions
from .schemes import figure10, grid, narrowest, schemes
from .sheets import reduction_sheet

__all__ = [
    "GridReduction",
    "Reduction",
    "Scheme",
    "figure10",
    "grid",
    "narrowest",
    "reduction_sheet",
    "reductions",
    "schemes",
]
