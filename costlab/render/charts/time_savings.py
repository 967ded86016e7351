"""The chart of multiply-adds saved against time saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import TYPE_CHECKING

from .bars import cut_mark, row_height, wrapped_names
from .figures import entitle, figure
from .lettering import POINTS, SMALL, text_width, wrapped
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.savings import Saving, Savings

_LEAST = -2.5  # what takes more than 250% longer is cut there, with a mark and its number
_NAMES = 0.3  # of the width, for the names of the rules
_GAP = 6  # points between a mark and its label


def time_savings(groups: Sequence[Savings], look: Look = PLAIN) -> Figure:
    """A panel a set of conditions, a row a rule: a hollow mark where the multiply-adds saved are, a
    full one where the time saved is, with its interval; a longer time is a square left of zero.
    All panels have one scale."""
    columns = 1 if look.narrow else min(2, len(groups))
    rows = ceil(len(groups) / columns)
    names = [rule.name for group in groups for rule in group.rules]
    row = row_height(names, look, _NAMES / columns)
    height = row * max(len(g.rules) for g in groups) + 0.55
    fig, axes = figure(look, rows * height + 0.4, rows, columns, squeeze=False, sharex=True)
    panels = list(axes.flat)
    for ax, group in zip(panels, groups, strict=False):
        _panel(ax, group, look, columns)
    for ax in panels[len(groups) :]:
        ax.remove()
    base = groups[0].base
    against = f", against {base}" if base else ""
    entitle(fig, look, f"Multiply-adds saved (hollow) and time saved (full){against}")
    _make_room(fig, panels[0], [rule for group in groups for rule in group.rules])
    return fig


def _panel(ax: Axes, group: Savings, look: Look, columns: int) -> None:
    for place, rule in enumerate(group.rules):
        _dumbbell(ax, place, rule, look)
    ax.axvline(0, color=look.theme.ink, linewidth=0.6, zorder=0)
    wrapped_names(ax, [r.name for r in group.rules], look, _NAMES / columns)
    ax.xaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    ax.set_xticks([t / 2 for t in range(-4, 3, 2)])
    ax.tick_params(axis="x", labelbottom=True)
    ax.set_title(
        "\n".join(wrapped(group.conditions, look.room(0.6 / columns), bold=True)), size=SMALL
    )


def _shown(rule: Saving) -> float:
    return max(rule.time_saved, _LEAST)


def _dumbbell(ax: Axes, place: int, rule: Saving, look: Look) -> None:
    theme, slower = look.theme, rule.time_saved < 0
    macs, time = rule.macs_saved, _shown(rule)
    color = theme.worse if slower else theme.better
    ax.plot([macs, time], [place, place], color=color, linewidth=1.6, alpha=0.45, zorder=1)
    hollow = {"color": theme.muted, "markerfacecolor": theme.paper, "markersize": 4.5, "zorder": 3}
    ax.plot([macs], [place], "o", **hollow)
    ax.plot([time], [place], "s" if slower else "o", color=color, markersize=4.5, zorder=4)
    if time == rule.time_saved:
        low, high = rule.interval
        line = {"linewidth": 0.7, "markersize": 5, "zorder": 5, "color": theme.ink}
        ax.plot([low, high], [place, place], "|-", **line)
    else:
        cut_mark(ax, time, place, theme)
    for at, text, left in _labels(rule):
        ax.annotate(
            text,
            (at, place),
            xytext=(-_GAP if left else _GAP, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=SMALL,
            color=theme.ink if at == time else theme.muted,
            zorder=2,
            bbox={"facecolor": theme.paper, "edgecolor": "none", "pad": 0.4},  # over the zero line
        )


def _labels(rule: Saving) -> Iterator[tuple[float, str, bool]]:
    """Where each label stands, its words, and whether on the left of its mark: outside the two
    marks."""
    macs, time = rule.macs_saved, _shown(rule)
    share = f"{100 * abs(rule.time_saved):.0f}%"
    yield time, f"{share} longer" if rule.time_saved < 0 else share, macs >= time
    yield macs, f"{100 * macs:.0f}%", macs < time


def _make_room(fig: Figure, ax: Axes, rules: Sequence[Saving]) -> None:
    """A scale on which all labels are inside their panel."""
    fig.draw_without_rendering()
    width = ax.get_window_extent().width * POINTS / fig.dpi
    labels = [label for rule in rules for label in _labels(rule)]
    low = min([0.0, *(at for at, *_ in labels)])
    high = max([0.0, *(at for at, *_ in labels)])
    spare = {True: 0.0, False: 0.0}  # points, on the left and on the right
    for at, text, left in labels:
        # what a label takes beyond the outermost mark, on a scale that is about this wide
        inside = ((at - low) if left else (high - at)) / (high - low) * width * 0.7
        spare[left] = max(spare[left], text_width(text) + _GAP + 3 - inside)
    scale = (high - low) / max(width - spare[True] - spare[False], 0.2 * width)
    ax.set_xlim(low - spare[True] * scale, high + spare[False] * scale)
