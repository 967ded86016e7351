"""What changed between two versions of a model, block by block.

`pairing` makes the tables that are compared and `align` pairs their blocks, `run` counts them,
`result` holds what was found, `sheets` are its tables, `notes` says it in English.
"""

from .figures import Figures, Sides, difference, relative
from .pairing import called_in
from .result import Change, Step, What
from .run import change
from .sheets import compares, label, quantities, spelled

__all__ = [
    "Change",
    "Figures",
    "Sides",
    "Step",
    "What",
    "called_in",
    "change",
    "compares",
    "difference",
    "label",
    "quantities",
    "relative",
    "spelled",
]
