"""Memory while a model runs."""

from __future__ import annotations

from .axes import brief_name
from .style import BLUE, RED, figure


def memory(result):
    """Bytes alive beyond params, buffers and inputs while each operation runs."""
    fig, ax = figure(9, 3.6)
    unit, size = next(
        (u, s)
        for u, s in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3), ("bytes", 1))
        if result.peak >= s or s == 1
    )
    mega = [v / size for v in result.live]
    ax.fill_between(range(len(mega)), mega, step="mid", color=BLUE, alpha=0.35, linewidth=0)
    ax.step(range(len(mega)), mega, where="mid", color=BLUE, linewidth=1)
    left = result.at < len(mega) / 2
    ax.annotate(
        f"peak {result.peak / size:,.1f} {unit} in {brief_name(result.place or 'the model')}",
        (result.at, result.peak / size),
        xytext=(8 if left else -8, 6),
        textcoords="offset points",
        ha="left" if left else "right",
        fontsize=8,
    )
    ax.plot([result.at], [result.peak / size], "o", color=RED, markersize=5)
    if result.measured is not None:
        ax.axhline(result.measured / size, color=RED, linestyle="--", linewidth=1)
        ax.annotate(
            f"measured peak {result.measured / size:,.1f} {unit}",
            (len(mega) - 1, result.measured / size),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            color=RED,
            fontsize=8,
        )
    ax.set_ylim(0, max(result.peak, result.measured or 0) / size * 1.18 or 1)
    ax.set_xlim(0, max(1, len(mega) - 1))
    ax.set_xlabel("operation, in order of execution")
    ax.set_ylabel(f"alive ({unit})")
    ax.set_title(
        f"{result.model}: memory beyond params, buffers and inputs, by liveness"
        + (", training step" if result.trained else "")
    )
    return fig
