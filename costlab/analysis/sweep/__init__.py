"""Cost, memory and time of models over batch, resolution, tokens and arguments: in parallel,
resumable, and going on where one configuration fails."""

from .configurations import ARGUMENT, MOST, Setup, configurations
from .engines import DIED, dask, local
from .journal import MADE_OF, JournalError
from .result import Outcome, Sweep, possible_columns
from .run import run
from .sizes import SIZES
from .sweep import sweep

__all__ = [
    "ARGUMENT",
    "DIED",
    "MADE_OF",
    "MOST",
    "SIZES",
    "JournalError",
    "Outcome",
    "Setup",
    "Sweep",
    "configurations",
    "dask",
    "local",
    "possible_columns",
    "run",
    "sweep",
]
