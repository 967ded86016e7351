"""Networks side by side: totals, ratios, and stages, layers that work on grids of one stride."""

from .result import Comparison, Side, Stage
from .run import compare
from .stages import stages

__all__ = ["Comparison", "Side", "Stage", "compare", "stages"]
