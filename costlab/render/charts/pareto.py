"""Cost against published error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .axes import label_points, log_axes
from .style import PLAIN, Look, entitle, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analysis.pareto import Pareto


def pareto(result: Pareto, look: Look = PLAIN) -> Figure:
    """MACs against published top-5 error, with the front; hollow points are not comparable with the
    others, and the table beside says why."""
    theme, points = look.theme, result.points
    fig, ax = figure(look, 4.2)
    front = [p for p in points if p.front]
    ax.step(
        [p.macs for p in front],
        [p.top5 for p in front],
        where="post",
        color=theme.muted,
        linewidth=0.8,
        linestyle="--",
        zorder=0,
    )
    for p in points:
        color = theme.muted if p.why_not else theme.better if p.front else theme.worse
        ax.plot(
            [p.macs],
            [p.top5],
            "o" if p.front else "s",
            color=color,
            markerfacecolor="none" if p.why_not else color,
            markersize=4.5,
        )
    log_axes(ax, "x")
    ax.set_ylim(0, max(p.top5 for p in points) * 1.12)
    ax.set_xlim(min(p.macs for p in points) / 1.5, max(p.macs for p in points) * 2.2)
    ax.set_xlabel("MACs (multiply-adds, from traces; log scale)")
    ax.set_ylabel("top-5 error, as published (%)")
    entitle(
        fig,
        look,
        "Cost against published error: circles and the dashed line are the Pareto front, "
        "hollow points are not comparable",
    )
    labels = [f"{p.name} ({p.mark})" if p.mark and not look.narrow else p.name for p in points]
    places = [(p.macs, p.top5) for p in points]
    label_points(fig, ax, [(*at, label) for at, label in zip(places, labels, strict=True)], theme)
    return fig
