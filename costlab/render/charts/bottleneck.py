"""Inception modules with and without 1x1 reductions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bars import ROW, bars_with_numbers, make_room, names_beside, without_scale
from .figures import entitle, figure
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analysis.bottleneck import Bottleneck


def bottleneck(result: Bottleneck, look: Look = PLAIN) -> Figure:
    """MACs of naive and reduced modules, side by side, and how many times fewer."""
    modules, theme = [p for p in result.pairs if not p.whole], look.theme
    fig, ax = figure(look, len(modules) * 2 * ROW + 0.7)
    for values, color, off, words in (
        ([p.naive.macs for p in modules], theme.worse, -0.2, "naive, Figure 2(a)"),
        ([p.reduced.macs for p in modules], theme.better, 0.2, "reduced, Figure 2(b)"),
    ):
        bars_with_numbers(
            ax, values, color, theme, off=off, height=0.38, hatched=off < 0, label=words
        )
    names_beside(ax, [f"{p.name}: {p.times:.2f}x" for p in modules], look, 0.35)
    without_scale(ax)
    make_room(fig, [ax])
    fig.legend(loc="outside lower left", ncols=2)
    entitle(fig, look, "Inception modules with and without 1x1 reductions: MACs (multiply-adds)")
    return fig
