"""Gradients by layer."""

from __future__ import annotations

from .axes import brief_names, log_axes
from .style import BLUE, ORANGE, RED, figure


def gradients(flow):
    """Mean |gradient| by layer with and without the heads, and the threshold."""
    fig, ax = figure(8.5, 4)
    places = range(len(flow.layers))
    series = [("without heads", flow.without, BLUE, "o")] + (
        [("with heads", flow.with_heads, ORANGE, "s")] if flow.with_heads else []
    )
    for word, values, color, marker in series:
        ax.plot(places, values, color=color, marker=marker, markersize=4, label=word)
    log_axes(ax, "y")
    ax.axhline(flow.threshold, color=RED, linestyle="--", linewidth=1)
    ax.annotate(
        f"threshold {flow.threshold:g}",
        (len(flow.layers) - 1, flow.threshold),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        color=RED,
    )
    if flow.place:
        i = flow.layers.index(flow.place)
        ax.annotate(
            "a head belongs here",
            (i, flow.without[i]),
            xytext=(0, -24),
            textcoords="offset points",
            ha="center",
            color=RED,
            arrowprops={"arrowstyle": "->", "color": RED},
        )
    ax.legend(loc="best")
    ax.set_xticks(places, brief_names(flow.layers), rotation=45, ha="right", fontsize=8)
    ax.set_ylabel("mean |gradient| of the weights")
    ax.set_title(
        f"{flow.model}: gradient flow over {flow.iterations} "
        f"iteration{'s' * (flow.iterations != 1)}"
    )
    return fig
