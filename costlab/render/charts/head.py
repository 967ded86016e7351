"""Classifier heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bars import ROW, bars_with_numbers, lines_of, make_room, without_scale, wrapped_names
from .figures import entitle, figure
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analysis.head import Heads


def head(result: Heads, look: Look = PLAIN) -> Figure:
    """Params and MACs of each head."""
    names, theme = [h.name for h in result.heads], look.theme
    height = len(names) * ROW * max(1.2, lines_of(names, look)) + 0.6
    fig, axes = figure(look, height, columns=2, sharey=True)
    for ax, title, color, field in zip(
        axes, ("params", "MACs"), (theme.params, theme.macs), ("params", "macs"), strict=True
    ):
        bars_with_numbers(ax, [getattr(h, field) for h in result.heads], color, theme)
        ax.set_title(title)
        without_scale(ax)
    wrapped_names(axes[0], names, look)
    make_room(fig, axes)
    c, side, _ = result.input
    entitle(fig, look, f"Classifier heads on {side}x{side}x{c}, {result.classes} classes")
    return fig
