"""Blocks under the ceilings of a device."""

from __future__ import annotations

from collections import Counter

from .axes import brief_names, label_points, log_axes
from .style import BLUE, GREY, ORANGE, RED, figure

_BOUNDS = {"compute": (BLUE, "o"), "memory": (ORANGE, "s"), "launch": (RED, "^"), "": (GREY, "x")}


def roofline(result, after=None):
    """Where each block lies under the ceilings; with a second run, arrows from each block to the
    one of the same place there."""
    fig, ax = figure(8.5, 5)
    places = [p for p in result.places if p.intensity and p.rate]
    later = {p.id: p for p in after.places if p.intensity and p.rate} if after else {}
    xs = [p.intensity for p in (*places, *later.values())] + [result.ridge]
    lo, hi = min(xs) / 3, max(xs) * 6
    ax.plot(
        [lo, result.ridge, hi],
        [lo * result.bandwidth / 1e9, result.peak / 1e9, result.peak / 1e9],
        color="black",
        linewidth=1.2,
    )
    ax.annotate(
        f"{result.peak / 1e9:,.0f} GFLOP/s",
        (hi, result.peak / 1e9),
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        fontsize=8,
    )
    ax.annotate(
        f"{result.bandwidth / 1e9:,.1f} GB/s",
        (lo, lo * result.bandwidth / 1e9),
        xytext=(10, 0),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=8,
    )
    log_axes(ax, "xy")
    longest = max((p.seconds for p in places), default=1.0)
    for bound, (color, marker) in _BOUNDS.items():
        found = [p for p in places if p.bound == bound]
        if found:
            ax.scatter(
                [p.intensity for p in found],
                [p.rate / 1e9 for p in found],
                s=[20 + 180 * p.seconds / longest for p in found],
                color=color,
                marker=marker,
                alpha=0.8,
                label=f"{bound}-bound" if bound else "no bound",
            )
    for p in places:
        q = later.get(p.id, p)
        if (q.intensity, q.rate) != (p.intensity, p.rate):
            ax.annotate(
                "",
                (q.intensity, q.rate / 1e9),
                (p.intensity, p.rate / 1e9),
                arrowprops={"arrowstyle": "->", "color": GREY},
            )
    ax.set_xlim(lo, hi)
    ax.set_ylim(
        min(p.rate for p in (*places, *later.values())) / 4e9 if places else 1,
        max(result.peak, *(p.rate for p in (*places, *later.values()))) / 1e9 * 3,
    )
    count = Counter(p.name for p in places)
    shown = sorted(places, key=lambda p: -p.seconds)[:12]
    words = brief_names(p.name if count[p.name] == 1 else f"{p.name} ({p.id})" for p in shown)
    label_points(
        fig, ax, [(p.intensity, p.rate / 1e9, word) for p, word in zip(shown, words, strict=True)]
    )
    ax.legend(loc="upper left")
    ax.set_xlabel("intensity (FLOPs a byte of tensors read and written)")
    ax.set_ylabel("reached (GFLOP/s)")
    ax.set_title(
        f"{result.model}: roofline, marks sized by time"
        + (f"; arrows to {after.model}" if after else "")
    )
    return fig
