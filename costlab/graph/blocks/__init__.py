"""The one partition of a trace into blocks, which tables, diagrams and comparisons share."""

from .condensed import MOST, condensed, condensed_within
from .maker import shared_path
from .partition import partition
from .record import Block

__all__ = ["MOST", "Block", "condensed", "condensed_within", "partition", "shared_path"]
