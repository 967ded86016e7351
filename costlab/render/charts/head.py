"""Classifier heads."""

from __future__ import annotations

from .axes import bars_beside_names
from .style import BLUE, ORANGE, figure


def head(result):
    """Params and MACs of each head."""
    fig, axes = figure(10, 0.5 * len(result.heads) + 1, 2, sharey=True)
    for ax, title, color, field in zip(
        axes, ("params", "MACs (multiply-adds)"), (ORANGE, BLUE), ("params", "macs"), strict=True
    ):
        bars_beside_names(
            ax, [h.name for h in result.heads], [getattr(h, field) for h in result.heads], color
        )
        ax.set_title(title)
    axes[0].set_ylim(len(result.heads) - 0.4, -0.6)
    c, side, _ = result.input
    fig.suptitle(
        f"classifier heads on {side}x{side}x{c}, {result.classes} classes",
        x=0.01,
        ha="left",
        fontweight="bold",
    )
    return fig
