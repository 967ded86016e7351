"""The one partition of a trace into blocks, which tables, diagrams and comparisons share."""

from .condensed import MOST, condensed
from .maker import shared_path
from .partition import partition
from .record import Block

__all__ = ["MOST", "Block", "condensed", "partition", "shared_path"]
