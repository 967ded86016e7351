"""What several charts draw on their axes: plain numbers, also on logarithmic scales."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...cost import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis


def log_axes(ax: Axes, directions: str) -> None:
    """Logarithmic axes, "x", "y" or "xy", with plain numbers: 1K, 0.01, 1e-7."""
    from matplotlib.ticker import LogLocator

    for d in directions:
        getattr(ax, f"set_{d}scale")("log")
        axis: Axis = getattr(ax, f"{d}axis")
        spell_ticks(axis, lambda value: short(value) if value >= 1 else small(value))
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_minor_formatter("")


def spell_ticks(axis: Axis, spell: Callable[[float], str]) -> None:
    """Write the numbers of an axis with `spell`."""

    def tick(value: float, _position: object) -> str:
        return spell(value)

    axis.set_major_formatter(tick)


def small(value: float) -> str:
    """0.01, 1e-7."""
    return f"{value:g}".replace("e-0", "e-")
