"""Cost against published error."""

from __future__ import annotations

from .axes import label_points, log_axes
from .style import BLUE, ORANGE, figure


def pareto(result):
    """MACs against published top-5 error, with the front."""
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
        ax.plot(
            [p.macs],
            [p.top5],
            "o" if p.front else "s",
            color=BLUE if p.front else ORANGE,
            markersize=6,
        )
    log_axes(ax, "x")
    ax.set_ylim(0, max(p.top5 for p in result.points) * 1.12)
    ax.set_xlim(min(p.macs for p in result.points) / 1.5, max(p.macs for p in result.points) * 2.2)
    label_points(fig, ax, [(p.macs, p.top5, p.name) for p in result.points])
    ax.set_xlabel("MACs (multiply-adds, from traces; log scale)")
    ax.set_ylabel("top-5 error, as published (%)")
    ax.set_title(
        "Cost against published error: circles and the dashed line are the Pareto front\n"
        "(errors as published, of different crops and scales; the settings are in the table)",
        fontsize=9,
    )
    return fig
