"""Cost over an axis of a sweep."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from ...cost import short
from .style import BLUE, GREEN, GREY, ORANGE, RED, figure

_LINES = (
    (BLUE, "o", "-"),
    (ORANGE, "s", "--"),
    (GREEN, "^", "-."),
    (RED, "D", ":"),
    (GREY, "v", "-"),
)


def sweep(result):
    """MACs, memory and, where measured, time over the first axis that varies; a line for each of
    the others."""
    axis, *others = [a for a in result.axes if a != "model"] + [
        a for a in result.axes if a == "model"
    ]
    lines: dict[str, list] = {}
    for o in result.outcomes:
        if o.result and isinstance(o.configuration[axis], (int, float)):
            name = ", ".join(f"{a.removeprefix('arg.')} {o.configuration[a]}" for a in others)
            lines.setdefault(name, []).append((o.configuration[axis], o.result))
    panels: list[tuple[str, str, Callable[[float], str]]] = [
        ("macs", "MACs (multiply-adds)", short),
        ("memory", "peak memory (bytes, estimated)", short),
    ]
    if any(r.get("ms") is not None for found in lines.values() for _, r in found):
        panels.append(("ms", "time (ms, measured)", lambda v: f"{v:g}"))
    fig, axes = figure(4.2 * len(panels), 3.8, len(panels))
    for ax, (field, title, label) in zip(axes, panels, strict=True):
        for (name, found), (color, marker, style) in zip(lines.items(), itertools.cycle(_LINES)):
            found = sorted((x, r) for x, r in found if r.get(field) is not None)
            xs, ys = [x for x, _ in found], [r[field] for _, r in found]
            ax.plot(xs, ys, color=color, marker=marker, linestyle=style, markersize=4, label=name)
            if field == "ms":
                ax.fill_between(
                    xs,
                    [r["low"] for _, r in found],
                    [r["high"] for _, r in found],
                    color=color,
                    alpha=0.25,
                    linewidth=0,
                )
        ax.set_ylim(0)
        ax.set_xlim(0)
        ax.yaxis.set_major_formatter(lambda v, _, label=label: label(v))
        ax.set_xlabel(axis.removeprefix("arg."))
        ax.set_title(title)
    if len(lines) > 1:
        fig.legend(
            *axes[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=min(4, len(lines)),
        )
    return fig
