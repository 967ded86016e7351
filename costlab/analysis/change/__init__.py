"""What changed between two versions of a model, block by block.

`align` pairs the blocks, `run` counts them, `result` holds what was found, `sheets` are its tables,
`notes` says it in English.
"""

from .figures import Figures, Sides, difference, relative
from .result import Change, Step, What
from .run import change
from .sheets import label, quantities, spelled

__all__ = [
    "Change",
    "Figures",
    "Sides",
    "Step",
    "What",
    "change",
    "difference",
    "label",
    "quantities",
    "relative",
    "spelled",
]
