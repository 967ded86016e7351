"""What changed between two versions of a model, block by block."""

from .figures import Figures, Sides, difference, relative
from .result import Change, Step, What
from .run import change

__all__ = ["Change", "Figures", "Sides", "Step", "What", "change", "difference", "relative"]
