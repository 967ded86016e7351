"""Multiply-adds against measured time."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from ..shorten import shorten_to
from .axes import log_axes, spell_ticks
from .figures import entitle, figure
from .labels import label_points
from .lettering import milliseconds, text_width
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.times import Times

_MARKERS = "os^Dv<>"
_FEW = 20  # runs; of more, only those with room beside them have a name


def times(result: Times, look: Look = PLAIN) -> Figure:
    """A mark a measured run, on logarithmic axes; runs on one dotted diagonal do as many
    multiply-adds a second."""
    fig, ax = figure(look, 4.2)
    conditions = dict.fromkeys(run.conditions for run in result.runs)
    styles = zip(cycle(look.theme.series), cycle(_MARKERS), strict=False)
    for condition, (color, marker) in zip(conditions, styles, strict=False):
        runs = [run for run in result.runs if run.conditions == condition]
        ax.errorbar(
            [run.macs for run in runs],
            [1e3 * run.seconds for run in runs],
            yerr=[
                [1e3 * (run.seconds - run.low) for run in runs],
                [1e3 * (run.high - run.seconds) for run in runs],
            ],
            fmt=marker,
            color=color,
            elinewidth=0.6,
            label=condition,
        )
    log_axes(ax, "xy")
    spell_ticks(ax.yaxis, lambda value: milliseconds(value / 1e3))
    xs, ys = [run.macs for run in result.runs], [1e3 * run.seconds for run in result.runs]
    ax.set_xlim(min(xs) / 2, max(xs) * 2)
    ax.set_ylim(min(ys) / 2, max(ys) * 2)
    _diagonals(ax, look.theme)
    ax.set_xlabel("MACs (multiply-adds, log scale)")
    ax.set_ylabel("time (ms, log scale)")
    fig.legend(loc="outside lower left", ncols=1 if look.narrow else 2)
    entitle(fig, look, "Multiply-adds against measured time (dotted: as many MACs a second)")
    names = shorten_to([r.name for r in result.runs], lambda t: text_width(t) < look.room(0.28))
    few = len(result.runs) <= _FEW
    label_points(fig, ax, list(zip(xs, ys, names, strict=True)), look.theme, far=few)
    return fig


def _diagonals(ax: Axes, theme: Theme) -> None:
    """Lines of one rate, a power of ten apart."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    rate = 10.0
    while rate < right / low:
        if left / high < rate:
            ends = [left / rate, right / rate]
            ax.plot([left, right], ends, ":", color=theme.faint, linewidth=0.6, zorder=0)
        rate *= 10
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
