"""Blocks under the ceilings of a device."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...cost import three_digits
from ...tables import display_name
from ..shorten import shorten_to
from .axes import log_axes
from .figures import entitle, figure
from .labels import label_points
from .lettering import text_width
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.roofline import Place, Roofline

_NAMED = 12  # the blocks that take most time have a name


def roofline(result: Roofline, after: Roofline | None = None, look: Look = PLAIN) -> Figure:
    """Where each block lies under the ceilings; with a second run, arrows from each block to the
    one of the same place there."""
    fig, ax = figure(look, 4.2)
    places = [p for p in result.places if p.intensity and p.rate]
    later = {p.id: p for p in after.places if p.intensity and p.rate} if after else {}
    lines = [_ceilings(ax, result, [*places, *later.values()], look.theme)]
    _marks(ax, places, look.theme)
    for p in places:
        q = later.get(p.id, p)
        if (q.intensity, q.rate) != (p.intensity, p.rate):
            arrow = {"arrowstyle": "->", "color": look.theme.muted}
            ax.annotate("", (q.intensity, q.rate), (p.intensity, p.rate), arrowprops=arrow)
            lines.append([(p.intensity or 0, p.rate or 0), (q.intensity or 0, q.rate or 0)])
    ax.set_xlabel("intensity (FLOPs a byte of tensors read and written)")
    ax.set_ylabel("reached (FLOP/s)")
    fig.legend(loc="outside lower left", ncols=1 if look.narrow else 3)
    to = f"; arrows to {display_name(after.model)}" if after else ""
    entitle(fig, look, f"{display_name(result.model)}: roofline, marks sized by time{to}")
    _name(fig, ax, places, lines, look)
    return fig


def _ceilings(
    ax: Axes, result: Roofline, places: list[Place], theme: Theme
) -> list[tuple[float, float]]:
    """Draws the ceilings, and fits the axes to them and the blocks. Gives their corners."""
    xs = [p.intensity for p in places if p.intensity] + [result.ridge]
    lo, hi = min(xs) / 3, max(xs) * 6
    words = f"ceilings: {_rate(result.peak, 'FLOP/s')}, {_rate(result.bandwidth, 'B/s')}"
    corners = [(lo, lo * result.bandwidth), (result.ridge, result.peak), (hi, result.peak)]
    ax.plot(*zip(*corners, strict=True), color=theme.ink, linewidth=1, label=words)
    log_axes(ax, "xy")
    rates = [p.rate for p in places if p.rate]
    ax.set_xlim(lo, hi)
    ax.set_ylim(min(rates, default=result.peak) / 4, max([result.peak, *rates]) * 3)
    return corners


def _rate(value: float, unit: str) -> str:
    """775 TFLOP/s."""
    text = three_digits(value)
    return f"{text[:-1]} {text[-1]}{unit}" if text[-1].isalpha() else f"{text} {unit}"


def _marks(ax: Axes, places: list[Place], theme: Theme) -> None:
    """A mark a block, by what bounds it; its area is its time."""
    bounds = {
        "compute": (theme.macs, "o"),
        "memory": (theme.params, "s"),
        "launch": (theme.worse, "^"),
        "": (theme.muted, "x"),
    }
    longest = max((p.seconds for p in places), default=1.0)
    for bound, (color, marker) in bounds.items():
        found = [p for p in places if p.bound == bound]
        if found:
            ax.scatter(
                [p.intensity for p in found],
                [p.rate for p in found],
                s=[12 + 90 * p.seconds / longest for p in found],
                color=color,
                marker=marker,
                alpha=0.8,
                label=f"{bound}-bound" if bound else "no bound",
            )


def _name(
    fig: Figure,
    ax: Axes,
    places: list[Place],
    lines: list[list[tuple[float, float]]],
    look: Look,
) -> None:
    """Names at the blocks that take most time, on none of the lines."""
    count = Counter(p.name for p in places)
    shown = sorted(places, key=lambda p: -p.seconds)[:_NAMED]
    words = [p.name if count[p.name] == 1 else f"{p.name} ({p.id})" for p in shown]
    words = shorten_to(words, lambda text: text_width(text) < look.room(0.3))
    points = [(p.intensity, p.rate, word) for p, word in zip(shown, words, strict=True)]
    others = [(p.intensity, p.rate) for p in places if p not in shown]
    label_points(fig, ax, points, look.theme, others=others, lines=lines)
