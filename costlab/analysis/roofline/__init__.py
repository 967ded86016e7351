"""What a measured run reached of what its device can do, block by block, and why its parts are not
its whole. The roofline is Williams, Waterman and Patterson, 2009."""

from .change import against
from .closure import Closure, closure
from .places import Place, Roofline, roofline

__all__ = ["Closure", "Place", "Roofline", "against", "closure", "roofline"]
