"""What a measured run reached of what its device can do, block by block, and why its parts are not
its whole. The roofline is Williams, Waterman and Patterson, 2009."""

from .change import TimeChange, time_change
from .closure import Cause, Closure, closure
from .places import Place, Roofline, roofline

__all__ = [
    "Cause",
    "Closure",
    "Place",
    "Roofline",
    "TimeChange",
    "closure",
    "roofline",
    "time_change",
]
