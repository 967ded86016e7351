"""What changed from base to head."""

from __future__ import annotations

from ...cost import short
from .axes import brief_names
from .style import GREEN, GREY, RED, figure

_STEPS = 36  # of a waterfall


def waterfall(change):
    """MACs from the base to the head, block by block; of very many blocks those that change most,
    the others together."""
    moved = [(s.name, s.macs[1] - s.macs[0]) for s in change.steps if s.macs[0] != s.macs[1]]
    most = sorted(range(len(moved)), key=lambda i: -abs(moved[i][1]))[:_STEPS]
    steps, rest = (
        [moved[i] for i in sorted(most)],
        [moved[i][1] for i in range(len(moved)) if i not in set(most)],
    )
    if rest:
        steps.append((f"{len(rest)} other blocks", sum(rest)))
    fig, ax = figure(9, max(2.2, 0.3 * (len(steps) + 2) + 0.8))
    at, places, names = (
        change.macs[0],
        [],
        [f"{change.base} (base)", *brief_names(name for name, _ in steps), f"{change.head} (head)"],
    )
    bars = [(0, at, GREY, short(at))]
    for _, delta in steps:
        bars.append(
            (
                min(at, at + delta),
                abs(delta),
                GREEN if delta < 0 else RED,
                f"{'-' if delta < 0 else '+'}{short(abs(delta))}",
            )
        )
        at += delta
    bars.append((0, change.macs[1], GREY, short(change.macs[1])))
    for i, (left, width, color, text) in enumerate(bars):
        ax.barh(
            i,
            width,
            left=left,
            color=color,
            height=0.7,
            hatch="//" if color == RED else None,
            edgecolor="white",
            linewidth=0.5,
        )
        ax.annotate(
            text,
            (left + width, i),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
        places.append(i)
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.set_xlim(0, max(left + width for left, width, *_ in bars) * 1.15)
    ax.xaxis.set_major_formatter(lambda v, _: short(v))
    ax.set_title("MACs (multiply-adds) from base to head: green saves, hatched red adds")
    return fig
