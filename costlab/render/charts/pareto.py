"""Cost against published error."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from .axes import log_axes
from .figures import entitle, figure
from .labels import label_points
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analysis.pareto import Pareto, Point
    from .themes import Theme


def pareto(result: Pareto, look: Look = PLAIN) -> Figure:
    """MACs against published top-5 error, with the front; hollow points are not comparable with the
    others, and the table beside says why."""
    theme, points = look.theme, result.points
    fig, ax = figure(look, 4.8 if look.narrow else 4.2)
    corners = _corners([p for p in points if p.front])
    ax.plot(
        [x for x, _ in corners],
        [y for _, y in corners],
        color=theme.muted,
        linewidth=0.8,
        linestyle="--",
        zorder=0,
    )
    for p in points:
        color = _color(p, theme)
        ax.plot(
            [p.macs],
            [p.top5],
            "o" if p.front else "s",
            color=color,
            markerfacecolor=color if p.comparable else "none",
            markersize=4.5,
        )
    log_axes(ax, "x")
    ax.set_ylim(min(p.top5 for p in points) * 0.5, max(p.top5 for p in points) * 1.12)
    ax.set_xlim(min(p.macs for p in points) / 1.5, max(p.macs for p in points) * 2.2)
    ax.set_xlabel("MACs (multiply-adds, from traces; log scale)")
    ax.set_ylabel("top-5 error, as published (%)")
    entitle(
        fig,
        look,
        "Cost against published error: circles and the dashed line are the Pareto front, "
        "hollow points are not comparable",
    )
    between = "\n" if look.narrow else " "
    labels = [f"{p.name}{between}({p.mark})" if p.mark else p.name for p in points]
    named = [(p.macs, p.top5, label) for p, label in zip(points, labels, strict=True)]
    named.sort(key=lambda n: ("(" not in n[2], -n[0]))  # those that have least room choose first
    label_points(fig, ax, named, theme, lines=[corners])
    return fig


def _color(point: Point, theme: Theme) -> str:
    if not point.comparable:
        return theme.muted
    return theme.better if point.front else theme.worse


def _corners(front: Sequence[Point]) -> list[tuple[float, float]]:
    """The corners of the front's line: along at the error of one point, then down to the next."""
    found: list[tuple[float, float]] = [(p.macs, p.top5) for p in front[:1]]
    for a, b in pairwise(front):
        found += [(b.macs, a.top5), (b.macs, b.top5)]
    return found
