"""Where params, MACs and activations are, from input to output."""

from __future__ import annotations

from collections.abc import Callable

from ...cost import short
from .axes import bars_beside_names
from .style import BLUE, GREEN, GREY, ORANGE, RED, figure, milliseconds


def stages(profile):
    """Params, MACs and activations by stage, side by side and aligned."""
    from matplotlib.ticker import MaxNLocator

    n, convention = len(profile.steps), profile.convention
    panels: list[tuple[str, str, str, Callable[[float], str]]] = [
        ("params", ORANGE, "params", short if convention.scaled else convention.spell_params),
        ("MACs (multiply-adds)", BLUE, "macs", short),
        ("activations (elements)", GREEN, "activations", short),
    ]
    if profile.trained:
        panels.insert(2, ("backward MACs", GREY, "backward", short))
    if profile.measured:
        panels.append(("time (ms, measured)", RED, "seconds", milliseconds))
    fig, axes = figure(
        9.5 if len(panels) == 3 else 11, max(2.2, 0.26 * n + 1), len(panels), sharey=True
    )
    names = [s.name for s in profile.steps]
    for ax, (title, color, field, label) in zip(axes, panels, strict=True):
        # what stands for many rows has a number and no bar: it would dwarf the single ones
        bars = bars_beside_names(
            ax,
            names,
            [(getattr(s, field) or 0) if s.id else 0 for s in profile.steps],
            color,
            label,
        )
        for text, step in zip(ax.texts, profile.steps, strict=True):
            if not step.id:
                text.set_text(f"{label(getattr(step, field) or 0)} together")
        for bar, step in zip(bars, profile.steps, strict=True):
            bar.set_gid(f"bar:{field}:{step.id}")
        ax.set_title(title)
    axes[0].set_ylim(n - 0.4, -0.6)
    ticks = MaxNLocator(4).tick_values(0, axes[0].get_xlim()[1] / convention.kilo)
    axes[0].set_xticks([t * convention.kilo for t in ticks[:-1]])
    fig.suptitle(
        f"{profile.model}: cost by stage, from input to output",
        x=0.01,
        ha="left",
        fontweight="bold",
    )
    return fig
