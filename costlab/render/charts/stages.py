"""Where params, MACs and activations are, from input to output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from ...cost import three_digits
from ...predict import column_name, times_on
from ...predict import milliseconds as predicted_milliseconds
from ...tables import display_name
from .bars import ROW, bars_with_numbers, interval, make_room, names_beside, without_scale
from .figures import entitle, figure
from .lettering import milliseconds
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.profile import Profile

_PANEL = 50  # points that a panel takes at least
_BARS = 100  # points of a panel whose bars can be compared, beside their numbers
_HIGH = 8.8  # inches that a column of a paper has for a chart


@dataclass(frozen=True)
class _Panel:
    """One quantity of the stages: its title, colour, field of a step, and how it is spelt."""

    title: str
    color: str
    field: str
    spell: Callable[[float], str] = three_digits


def stages(profile: Profile, look: Look = PLAIN) -> Figure:
    """Params, MACs and activations by stage, side by side and aligned."""
    panels = _panels(profile, look.theme)
    rows = _rows(len(panels), len(profile.steps), look)
    columns, height = ceil(len(panels) / rows), _height(rows, len(profile.steps))
    fig, axes = figure(look, height, rows, columns, sharey=True, squeeze=False)
    names_beside(axes[0][0], [s.name for s in profile.steps], look)
    places = list(axes.flat)
    for ax, panel in zip(places, panels, strict=False):
        _draw(ax, panel, profile, look.theme)
    for ax in places[len(panels) :]:
        ax.remove()
    make_room(fig, places[: len(panels)])
    words = f"{display_name(profile.model)}: cost by stage, from input to output"
    entitle(fig, look, words, times_on(profile.prediction, intervals=True))
    return fig


def _rows(panels: int, steps: int, look: Look) -> int:
    """In how many rows the panels stand: beside each other, or above each other in one column of a
    paper, where their bars would be short and all of them are no higher than a page."""
    room = look.room(0.7)
    if look.narrow and room / panels < _BARS and _height(panels, steps) <= _HIGH:
        return panels
    return ceil(panels / max(1, int(room / _PANEL)))


def _height(rows: int, steps: int) -> float:
    """Inches of a chart of so many rows of panels."""
    return rows * (steps * ROW + 0.25) + 0.3


def _panels(profile: Profile, theme: Theme) -> list[_Panel]:
    convention = profile.convention
    spell = three_digits if convention.scaled else convention.spell_params
    found = [
        _Panel("params", theme.params, "params", spell),
        _Panel("MACs", theme.macs, "macs"),
        _Panel("activations", theme.activations, "activations"),
    ]
    if profile.trained:
        found.insert(2, _Panel("backward", theme.muted, "backward"))
    if profile.measured:
        found.append(_Panel("time (ms)", theme.time, "seconds", milliseconds))
    if profile.prediction:
        title = column_name(profile.prediction)
        found.append(_Panel(title, theme.time, "predicted_seconds", predicted_milliseconds))
    return found


def _add_intervals(ax: Axes, profile: Profile, theme: Theme) -> None:
    """The interval of each predicted time, before its number; a bound has none."""
    for place, (step, label) in enumerate(zip(profile.steps, list(ax.texts), strict=True)):
        time = step.predicted
        if step.id and time and time.high:
            interval(ax, (time.low, time.high), place, theme)
            label.xy = time.high, place


def _draw(ax: Axes, panel: _Panel, profile: Profile, theme: Theme) -> None:
    """A bar a stage. What stands for many rows has a number and no bar: it would dwarf the
    others."""
    values = [getattr(s, panel.field) or 0 for s in profile.steps]
    drawn = [v if s.id else 0 for v, s in zip(values, profile.steps, strict=True)]
    bars = bars_with_numbers(ax, drawn, panel.color, theme, panel.spell)
    for bar, text, value, step in zip(bars, ax.texts, values, profile.steps, strict=True):
        bar.set_gid(f"bar:{panel.field}:{step.id}")
        if not step.id:
            text.set_text(f"{panel.spell(value)} together")
    if panel.field == "predicted_seconds":
        _add_intervals(ax, profile, theme)
    ax.set_title(panel.title)
    without_scale(ax)
