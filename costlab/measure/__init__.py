"""Time and memory of a model on the device in hand, attached to its trace. Needs torch alone."""

from .._callable import callable_as
from .device import DTYPES, MeasureError
from .progress import Progress
from .protocol import measure, paired
from .stats import timing

__all__ = ["DTYPES", "MeasureError", "Progress", "measure", "paired", "timing"]

callable_as(__name__, "costlab.api:measure")
