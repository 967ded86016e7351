"""Time and memory of a model on the device in hand, attached to its trace. Needs torch alone."""

from ._protocol import DTYPES, MeasureError, measure, paired
from ._stats import timing

__all__ = ["DTYPES", "MeasureError", "measure", "paired", "timing"]
