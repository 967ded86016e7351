"""What the rules of factorization save in MACs, and from which width on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bars import (
    bars_with_numbers,
    cut_mark,
    draw_bars,
    make_room,
    row_height,
    without_scale,
    wrapped_names,
)
from .figures import entitle, figure
from .lettering import TEXT, wrapped
from .looks import Look, PLAIN
from .saved_time import saved_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.factorize import Curve, Rule, RuleTable

_LEAST = -1.5  # a rule that costs more than 150% more is cut here, with a mark and its number


def savings(rules: RuleTable, curve: Curve, look: Look = PLAIN) -> Figure:
    """Savings by rewrite, also of predicted time where a profile was given, and the break-even
    curve of stacked 3x3."""
    names = [r.name for r in rules.rules]
    height = len(names) * row_height(names, look, _names_share(look)) + 0.4
    fig, bars, times, line = _panels(look, height, with_times=rules.rules[0].time is not None)
    _saved(bars, rules.rules, look)
    if times:
        saved_time(times, rules.rules, look)
        times.tick_params(labelleft=look.narrow)
    make_room(fig, [ax for ax in (bars, times) if ax])
    _break_even(line, curve, look)
    fig.legend(loc="outside lower right", ncols=1 if look.narrow else 2)
    entitle(fig, look, "What factorizing saves")
    return fig


def _panels(
    look: Look, height: float, *, with_times: bool
) -> tuple[Figure, Axes, Axes | None, Axes]:
    """The axes of the rules, of their times where there are any, and of the curve, which stands
    beside the rules where there is room; `height` inches of the rules."""
    if not with_times:
        if look.narrow:
            fig, (bars, line) = figure(look, height + 2.9, 2, 1, height_ratios=(height, 2.2))
        else:
            fig, (bars, line) = figure(look, height + 0.6, 1, 2, width_ratios=(1.15, 1))
        return fig, bars, None, line
    if look.narrow:
        ratios = (height, height, 2.2)
        fig, (bars, times, line) = figure(look, 2 * height + 3.2, 3, 1, height_ratios=ratios)
        return fig, bars, times, line
    fig, ((bars, times), (line, spare)) = figure(
        look, height + 3.2, 2, 2, height_ratios=(height, 2.2)
    )
    spare.remove()
    line.set_subplotspec(line.get_gridspec()[1, :])
    return fig, bars, times, line


def _names_share(look: Look) -> float:
    """The part of the width that names take."""
    return 0.33 if look.narrow else 0.22


def _saved(ax: Axes, rules: tuple[Rule, ...], look: Look) -> None:
    """A bar a rule to the right of zero; to the left, hatched, what costs more."""
    theme = look.theme
    bars_with_numbers(
        ax, [max(r.saving, 0) for r in rules], theme.better, theme, lambda v: f"{100 * v:.1f}%"
    )
    draw_bars(ax, [max(min(r.saving, 0), _LEAST) for r in rules], theme.worse, theme, hatched=True)
    for place, rule in enumerate(rules):
        if rule.saving < 0:
            ax.texts[place].set_text(f"{-100 * rule.saving:,.0f}% more")
        if rule.saving < _LEAST:
            cut_mark(ax, _LEAST, place, theme)
    ax.axvline(0, color=theme.ink, linewidth=0.6)
    wrapped_names(ax, [r.name for r in rules], look, _names_share(look))
    without_scale(ax)
    ax.spines["left"].set_visible(False)
    ax.set_title("MACs saved at these widths")


def _break_even(ax: Axes, curve: Curve, look: Look) -> None:
    """MACs of the stacked form by its middle width, against the kernel itself."""
    theme, kernel = look.theme, f"{curve.kernel}x{curve.kernel}"
    ax.plot(curve.mids, curve.ratios, color=theme.macs)
    ax.axhline(1, color=theme.muted, linewidth=0.8, linestyle="--", label=f"{kernel} itself")
    even = f"break-even: c_mid = {curve.even:.1f}"
    ax.plot([curve.even], [1], "o", color=theme.worse, zorder=5, label=even)
    widths = {curve.c_in: ("c_in", "s"), curve.c_out: ("c_out", "^")}
    if curve.c_in == curve.c_out:
        widths = {curve.c_in: ("c_in = c_out", "s")}
    for mid, (word, marker) in widths.items():
        saved = 1 - curve.ratios[mid - 1]
        words = f"c_mid = {word}: {abs(saved):.0%} {'saved' if saved >= 0 else 'more'}"
        ax.plot([mid], [1 - saved], marker, color=theme.macs, markersize=5, label=words)
    ax.set_ylim(0)
    ax.set_xlim(0)
    ax.set_xlabel("middle width c_mid (channels)")
    ax.set_ylabel(f"MACs / MACs of the {kernel}")
    words = f"{kernel} as stacked 3x3, {curve.c_in} to {curve.c_out} channels"
    room = look.room(0.58 if look.narrow else 0.35)
    ax.set_title("\n".join(wrapped(words, room, TEXT, bold=True)))
