"""The one partition of a trace into blocks, which tables, diagrams and comparisons share."""

from .maker import shared_path
from .partition import partition
from .record import Block

__all__ = ["Block", "partition", "shared_path"]
