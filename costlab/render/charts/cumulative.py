"""How params and MACs add up from input to output."""

from __future__ import annotations

from ...cost import short
from .axes import brief_names
from .style import BLUE, ORANGE, figure


def cumulative(profile):
    """The share of all params and MACs up to each stage."""
    fig, ax = figure(9, 4)
    n, last, lines = len(profile.steps), profile.steps[-1], []
    convention = profile.convention
    spell_params = short if convention.scaled else convention.spell_params
    for field, whole, color, marker, word, spell in (
        ("macs_so_far", last.macs_so_far, BLUE, "o", "MACs", short),
        ("params_so_far", last.params_so_far, ORANGE, "s", "params", spell_params),
    ):
        if whole:
            shares = [100 * getattr(s, field) / whole for s in profile.steps]
            text = f"{word} (all: {spell(whole)})"
            ax.plot(range(n), shares, color=color, marker=marker, markersize=4, label=text)
            lines.append((shares, text, color))
    middle = range(round(0.35 * n), max(round(0.65 * n), 1))
    gap, at = (
        max(((abs(lines[0][0][i] - lines[1][0][i]), i) for i in middle), default=(0, 0))
        if len(lines) == 2
        else (0, 0)
    )
    # far enough apart to be labelled where they are: the upper one above its line, the lower one
    # below
    if gap > 12:
        for upper, (shares, text, color) in zip(
            (True, False), sorted(lines, key=lambda line: -line[0][at]), strict=True
        ):
            up = upper or shares[at] < 14  # no room below
            ax.annotate(
                text,
                (at, shares[at]),
                xytext=(-8 if up else 8, 5 if up else -5),
                textcoords="offset points",
                color=color,
                fontweight="bold",
                ha="right" if up else "left",
                va="bottom" if up else "top",
            )
    elif lines:
        ax.legend(loc="best")
    ax.set_xticks(
        range(n), brief_names(s.name for s in profile.steps), rotation=45, ha="right", fontsize=8
    )
    ax.set_ylim(0, 104)
    ax.yaxis.set_major_formatter(lambda v, _: f"{v:.0f}%")
    ax.grid(axis="y", color="#DDDDDD")
    ax.set_title(f"{profile.model}: share of all params and MACs up to each stage")
    return fig
