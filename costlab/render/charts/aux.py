"""Auxiliary classifiers in training."""

from __future__ import annotations

from ...cost import short
from .style import BLUE, ORANGE, figure


def aux(result):
    """Params and training MACs of each network, and what its auxiliary classifiers add."""
    fig, axes = figure(10, 0.8 * len(result.costs) + 1.2, 2, sharey=True)
    names = [c.model for c in result.costs]
    sums = [
        [(c.without.params, c.with_heads.params) for c in result.costs],
        [tuple(s.forward + s.backward for s in (c.without, c.with_heads)) for c in result.costs],
    ]
    for ax, title, values in zip(
        axes, ("params in training", "MACs of a training step, one image"), sums, strict=True
    ):
        places = range(len(names))
        ax.barh(places, [v[0] for v in values], color=BLUE, height=0.5, label="the network")
        ax.barh(
            places,
            [v[1] - v[0] for v in values],
            left=[v[0] for v in values],
            color=ORANGE,
            height=0.5,
            hatch="//",
            edgecolor="white",
            linewidth=0.5,
            label="its auxiliary classifiers",
        )
        for p, v in zip(places, values, strict=True):
            ax.annotate(
                f"+{short(v[1] - v[0])} ({100 * (v[1] - v[0]) / v[0]:.1f}%)",
                (v[1], p),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        ax.set_yticks(places, names)
        ax.set_xlim(0, max(v[1] for v in values) * 1.4)
        ax.xaxis.set_major_formatter(lambda v, _: short(v))
        ax.locator_params(axis="x", nbins=4)
        ax.set_title(title)
    axes[0].invert_yaxis()
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return fig
