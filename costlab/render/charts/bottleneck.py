"""Inception modules with and without 1x1 reductions."""

from __future__ import annotations

from .axes import paired_bars
from .style import BLUE, ORANGE, figure


def bottleneck(result):
    """MACs of naive and reduced modules, side by side, and how many times fewer."""
    modules = [p for p in result.pairs if not p.whole]
    fig, ax = figure(9, 0.55 * len(modules) + 1.2)
    paired_bars(
        ax,
        [f"{p.name}: {p.times:.2f}x" for p in modules],
        [(p.naive.macs, p.reduced.macs) for p in modules],
        ("naive, Figure 2(a)", "reduced, Figure 2(b)"),
        (ORANGE, BLUE),
    )
    ax.legend(loc="lower right")
    ax.set_title("Inception modules with and without 1x1 reductions: MACs (multiply-adds)")
    return fig
