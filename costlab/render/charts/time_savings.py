"""The chart of multiply-adds saved against time saved."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from .style import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.savings import Saving, Savings

_LEAST = -2.5  # what takes more than 250% longer is cut there, with its number


def time_savings(groups: Sequence[Savings]) -> Figure:
    """A panel a set of conditions, a row a rule: a hollow mark where the multiply-adds saved are, a
    full one where the time saved is, with its interval; a longer time is a square left of zero."""
    from matplotlib.figure import Figure

    columns = min(2, len(groups))
    rows = ceil(len(groups) / columns)
    height = 0.27 * max(len(g.rules) for g in groups) + 1.0
    fig = Figure(figsize=(5.6 * columns + 1.2, rows * height + 0.5), layout="constrained")
    axes = fig.subplots(rows, columns, squeeze=False, sharex=True).flat
    for ax, group in zip(axes, groups, strict=False):
        _panel(ax, group)
    for ax in list(axes)[len(groups) :]:
        ax.remove()
    least = min(min(_shown(r), r.macs_saved) for g in groups for r in g.rules)
    axes[0].set_xlim(min(-0.1, least - 0.9 if least < 0 else -0.2), 1.3)
    fig.suptitle(_title(groups), x=0.01, ha="left", fontweight="bold")
    return fig


def _title(groups: Sequence[Savings]) -> str:
    base = groups[0].base
    against = f"\nagainst {base}" if base else ""
    return f"Multiply-adds saved (hollow) and time saved (full){against}"


def _panel(ax: Axes, group: Savings) -> None:
    for place, rule in enumerate(group.rules):
        _dumbbell(ax, place, rule)
    ax.axvline(0, color="black", linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(group.rules)), [r.name for r in group.rules])
    ax.set_ylim(len(group.rules) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    ax.set_xticks([t / 2 for t in range(-5, 3)])
    ax.tick_params(axis="x", labelbottom=True)
    ax.set_title(group.conditions, fontsize=9)


def _shown(rule: Saving) -> float:
    return max(rule.time_saved, _LEAST)


def _dumbbell(ax: Axes, place: int, rule: Saving) -> None:
    macs, time, slower = rule.macs_saved, _shown(rule), rule.time_saved < 0
    color = ORANGE if slower else BLUE
    ax.plot([macs, time], [place, place], color=color, linewidth=2, alpha=0.45, zorder=1)
    hollow = {"color": GREY, "markerfacecolor": "white", "markersize": 6, "zorder": 3}
    ax.plot([macs], [place], "o", **hollow)
    ax.plot([time], [place], "s" if slower else "o", color=color, markersize=5.5, zorder=4)
    if time == rule.time_saved:
        low, high = rule.interval
        ax.plot(
            [low, high], [place, place], "|-", color="black", linewidth=0.9, markersize=7, zorder=5
        )
    texts = (
        (time, _words(rule), "black", macs >= time),
        (macs, f"{100 * macs:.0f}%", "#555555", macs < time),
    )
    for at, text, shade, left in texts:
        ax.annotate(
            text,
            (at, place),
            xytext=(-7 if left else 7, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
            color=shade,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            zorder=2,
            fontweight="bold" if at == time and shade == "black" else "normal",
        )


def _words(rule: Saving) -> str:
    """The label of the time: 48%, 110% longer."""
    share = f"{100 * abs(rule.time_saved):.0f}%"
    return f"{share} longer" if rule.time_saved < 0 else share
