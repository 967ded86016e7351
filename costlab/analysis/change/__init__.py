"""What changed between two versions of a model, block by block."""

from .result import Change, Sides, Step
from .run import change

__all__ = ["Change", "Sides", "Step", "change"]
