"""Cost against published error."""

from __future__ import annotations

from .axes import label_points, log_axes
from .style import BLUE, ORANGE, figure


def pareto(result):
    """MACs against published top-5 error, with the front; hollow points are not comparable with the
    others, and the table beside says why."""
    fig, ax = figure(8, 5)
    front = [p for p in result.points if p.front]
    ax.step(
        [p.macs for p in front],
        [p.top5 for p in front],
        where="post",
        color="#BBBBBB",
        linewidth=1,
        linestyle="--",
        zorder=0,
    )
    for p in result.points:
        color = "#888888" if p.why_not else BLUE if p.front else ORANGE
        ax.plot(
            [p.macs],
            [p.top5],
            "o" if p.front else "s",
            color=color,
            markerfacecolor="none" if p.why_not else color,
            markersize=6,
        )
    log_axes(ax, "x")
    ax.set_ylim(0, max(p.top5 for p in result.points) * 1.12)
    ax.set_xlim(min(p.macs for p in result.points) / 1.5, max(p.macs for p in result.points) * 2.2)
    labels = [f"{p.name} ({p.mark})" if p.mark else p.name for p in result.points]
    places = [(p.macs, p.top5) for p in result.points]
    label_points(fig, ax, [(*at, label) for at, label in zip(places, labels, strict=True)])
    ax.set_xlabel("MACs (multiply-adds, from traces; log scale)")
    ax.set_ylabel("top-5 error, as published (%)")
    ax.set_title(
        "Cost against published error: circles and the dashed line are the Pareto front\n"
        "(hollow points are not comparable, for the reason beside them)",
        fontsize=9,
    )
    return fig
