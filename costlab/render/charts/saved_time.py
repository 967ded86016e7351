"""The panel of the predicted time that rules save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...predict import Saving, column_name, milliseconds, prediction_of, spell_estimate
from .bars import draw_bars, interval, number, without_scale, wrapped_names
from .lettering import TEXT, wrapped
from .looks import Look
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...analysis.factorize import Rule


def saved_time(ax: Axes, rules: Sequence[Rule], look: Look) -> None:
    """A row a rule: the milliseconds that it saves with their interval, or by a datasheet the least
    time of both forms, of which no difference is known."""
    prediction = prediction_of(rules[0].traces[0])
    assert prediction
    facts, times = prediction.facts, [rule.time for rule in rules if rule.time]
    if prediction.total.is_bound:
        _bounds(ax, times, look.theme)
        what = f"{column_name(prediction)}, before (grey) and after"
    else:
        _savings(ax, times, look)
        what = f"{column_name(prediction)} saved, with 90% intervals"
    wrapped_names(ax, [r.name for r in rules], look, 0.33 if look.narrow else 0.22)
    without_scale(ax)
    room = look.room(0.6 if look.narrow else 0.36)
    words = f"{what}, {facts.name}, {facts.dtype}"
    ax.set_title("\n".join(wrapped(words, room, TEXT, bold=True)))


def _savings(ax: Axes, times: Sequence[Saving], look: Look) -> None:
    """Bars to the right of zero; to the left, hatched, what takes longer; faint, what is not
    decided."""
    theme = look.theme
    for outcome, color in (
        ("faster", theme.better),
        ("slower", theme.worse),
        ("not decided", theme.faint),
    ):
        lengths = [_saved(t)[1] if t.outcome == outcome else 0.0 for t in times]
        draw_bars(ax, lengths, color, theme, hatched=outcome == "slower")
    for place, time in enumerate(times):
        low, middle, high = _saved(time)
        interval(ax, (low, high), place, theme)
        words = _words(time, look)
        undecided = f", {time.outcome}" if time.outcome == "not decided" else ""
        number(ax, f"{words}{undecided}", max(high, middle, 0.0), place)
    ax.axvline(0, color=theme.ink, linewidth=0.6)
    ax.spines["left"].set_visible(False)


def _words(time: Saving, look: Look) -> str:
    """The milliseconds saved, with their interval where there is room."""
    if time.saved is None:
        return ""
    return milliseconds(time.saved.seconds or 0.0) if look.narrow else spell_estimate(time.saved)


def _saved(time: Saving) -> tuple[float, float, float]:
    """The milliseconds that a rule saves, between the ends of their interval."""
    saved = time.saved
    assert saved and saved.seconds is not None and saved.high is not None
    return 1e3 * saved.low, 1e3 * saved.seconds, 1e3 * saved.high


def _bounds(ax: Axes, times: Sequence[Saving], theme: Theme) -> None:
    """Two thin bars a rule."""
    sides = ([t.before.low for t in times], theme.muted), ([t.after.low for t in times], theme.time)
    for off, (seconds, color) in zip((-0.19, 0.19), sides, strict=True):
        draw_bars(ax, [1e3 * s for s in seconds], color, theme, off=off, height=0.34)
    for place, time in enumerate(times):
        before, after = time.before.low, time.after.low
        words = f"{milliseconds(before)}, then {milliseconds(after)}"
        number(ax, words, 1e3 * max(before, after), place)
