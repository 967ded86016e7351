"""How params and MACs add up from input to output."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from ...cost import three_digits
from ...predict import column_name, spell_estimate, times_on
from ...tables import display_name
from .axes import spell_ticks
from .bars import ROW, names_beside
from .figures import entitle, figure, legend_below
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.profile import Profile


def cumulative(profile: Profile, look: Look = PLAIN) -> Figure:
    """The share of all params and MACs up to each stage, the first at the top."""
    steps, last, theme = profile.steps, profile.steps[-1], look.theme
    fig, ax = figure(look, max(1.8, len(steps) * ROW + 0.9))
    convention = profile.convention
    spell = three_digits if convention.scaled else convention.spell_params
    for field, color, marker, words in (
        ("macs_so_far", theme.macs, "o", f"MACs, all: {three_digits(last.macs_so_far)}"),
        ("params_so_far", theme.params, "s", f"params, all: {spell(last.params_so_far)}"),
    ):
        whole = getattr(last, field)
        if whole:
            shares = [getattr(s, field) / whole for s in steps]
            ax.plot(shares, range(len(steps)), color=color, marker=marker, label=words)
    if profile.prediction:
        _add_times(ax, profile, theme)
    names_beside(ax, [s.name for s in steps], look)
    ax.set_xlim(-0.02, 1.04)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    spell_ticks(ax.xaxis, lambda share: f"{100 * share:.0f}%")
    ax.grid(axis="x")
    handles, labels = ax.get_legend_handles_labels()
    legend_below(fig, handles, labels, look)
    name = display_name(profile.model)
    words = f"{name}: share of {profile.summed_up} up to each stage"
    entitle(fig, look, words, times_on(profile.prediction))
    return fig


def _add_times(ax: Axes, profile: Profile, theme: Theme) -> None:
    """The share of the predicted time, or of its bound, up to each stage."""
    assert profile.prediction
    sums = list(accumulate(s.predicted_seconds or 0.0 for s in profile.steps))
    if not sums[-1]:
        return
    shares, places = [s / sums[-1] for s in sums], range(len(sums))
    whole = spell_estimate(profile.prediction.total)
    words = f"{column_name(profile.prediction)}, all: {whole}"
    ax.plot(shares, places, color=theme.time, marker="^", label=words)
