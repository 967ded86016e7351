"""Auxiliary classifiers in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cost import three_digits
from .bars import ROW, draw_bars, make_room, names_beside, number, without_scale
from .figures import entitle, figure
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.aux import AuxCosts


def aux(result: AuxCosts, look: Look = PLAIN) -> Figure:
    """Params and training MACs of each network, and what its auxiliary classifiers add."""
    names = [c.model for c in result.costs]
    sums = {
        "params in training": [(c.without.params, c.with_heads.params) for c in result.costs],
        "MACs of a training step, one image": [
            (c.without.forward + c.without.backward, c.with_heads.forward + c.with_heads.backward)
            for c in result.costs
        ],
    }
    rows, columns = (2, 1) if look.narrow else (1, 2)
    height = rows * (len(names) * 1.4 * ROW + 0.3) + 0.5
    fig, axes = figure(look, height, rows, columns, sharey=True)
    for ax, (title, values) in zip(axes, sums.items(), strict=True):
        _draw(ax, values, look)
        ax.set_title(title)
    names_beside(axes[0], names, look)
    make_room(fig, axes)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower left", ncols=2)
    entitle(fig, look, "What auxiliary classifiers add in training")
    return fig


def _draw(ax: Axes, values: list[tuple[int, int]], look: Look) -> None:
    theme, before = look.theme, [v[0] for v in values]
    added = [v[1] - v[0] for v in values]
    draw_bars(ax, before, theme.macs, theme, height=0.6, label="the network")
    words = "its auxiliary classifiers"
    draw_bars(ax, added, theme.worse, theme, height=0.6, left=before, hatched=True, label=words)
    for place, (first, more) in enumerate(zip(before, added, strict=True)):
        number(ax, f"+{three_digits(more)} ({100 * more / first:.1f}%)", first + more, place)
    without_scale(ax)
