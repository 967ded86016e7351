"""What several charts draw: bars beside names, bars in pairs, labels that do not overlap, axes with
plain numbers."""

from __future__ import annotations


from collections.abc import Iterator
from dataclasses import dataclass

from ...cost import short


def brief_name(name: str, head: float = 1 / 3, width: int = 48) -> str:
    """A long module path without its middle: its end says most."""
    first = round(head * (width - 3))
    return name if len(name) <= width else f"{name[:first]}...{name[first + 3 - width :]}"


def brief_names(names) -> list[str]:
    """Long names cut where they still differ as much as they did."""
    names = list(names)
    for head in (1 / 3, 2 / 3, 0.1):
        shortened = [brief_name(n, head) for n in names]
        if len(set(shortened)) == len(set(names)):
            return shortened
    return [n if len(n) <= 100 else brief_name(n, 1 / 2, 100) for n in names]


def log_axes(ax, directions):
    """Logarithmic axes, "x", "y" or "xy", with plain numbers: 1K, 0.01, 1e-7."""
    for d in directions:
        getattr(ax, f"set_{d}scale")("log")
        axis = getattr(ax, f"{d}axis")
        axis.set_major_formatter(lambda v, _: short(v) if v >= 1 else f"{v:g}")
        axis.set_minor_formatter("")


def bars_beside_names(ax, names, values, color, label=short, hatch=None):
    places = range(len(names))
    bars = ax.barh(
        places, values, color=color, height=0.72, hatch=hatch, edgecolor="white", linewidth=0
    )
    ax.set_yticks(places, brief_names(names))
    ax.invert_yaxis()
    ax.set_xlim(min(0, *values) * 1.25, max(*values, 1e-9) * 1.22)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(lambda v, _: label(v))
    ax.locator_params(axis="x", nbins=4)
    for place, v in zip(places, values, strict=True):
        ax.annotate(
            label(v),
            (max(v, 0), place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    return bars


def paired_bars(ax, names, values, words, colors, label=short):
    """Two bars a name, the second hatched so that grey tells them apart; the pair is named once, on
    its longest bars."""
    places = range(len(names))
    for side, (word, color, off) in enumerate(zip(words, colors, (-0.2, 0.2), strict=True)):
        found = [v[side] for v in values]
        ax.barh(
            [p + off for p in places],
            found,
            color=color,
            height=0.38,
            hatch="//" if side else None,
            edgecolor="white",
            linewidth=0.5,
            label=word,
        )
        for p, v in zip(places, found, strict=True):
            ax.annotate(
                label(v),
                (v, p + off),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.set_xlim(0, max(max(v) for v in values) * 1.22 or 1)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(lambda v, _: label(v))
    ax.locator_params(axis="x", nbins=4)


def _crosses(a, b, boxes):
    """Whether the way from a to b goes through one of the boxes."""
    steps = [(a[0] + (b[0] - a[0]) * k / 20, a[1] + (b[1] - a[1]) * k / 20) for k in range(1, 20)]
    return any(box.contains(x, y) for box in boxes for x, y in steps)


@dataclass(frozen=True)
class _Place:
    """Where a label stands, in points from its point; `far`: with a line to it."""

    dx: float
    dy: float
    ha: str
    va: str
    far: bool = False


_CLOSE = (
    _Place(5, 5, "left", "bottom"),
    _Place(7, 0, "left", "center"),
    _Place(0, 7, "center", "bottom"),
    _Place(0, -7, "center", "top"),
    _Place(-7, 0, "right", "center"),
    _Place(6, -6, "left", "top"),
    _Place(-6, 6, "right", "bottom"),
    _Place(-6, -6, "right", "top"),
)
_WAYS = ((1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
_SIDES = {-1: "right", 0: "center", 1: "left"}
_HEIGHTS = {-1: "top", 0: "center", 1: "bottom"}


def _near() -> Iterator[_Place]:
    """Places of a label around its point: close ones first, then farther ones."""
    yield from _CLOSE
    for radius in (22, 36, 52, 70, 90):
        for dx, dy in _WAYS:
            yield _Place(radius * dx, radius * dy, _SIDES[dx], _HEIGHTS[dy], far=True)


def label_points(fig, ax, points):
    """Label points without overlap, those that find no room not at all: the first of several places
    around a point, within the axes, that touches no label and no point."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    FigureCanvasAgg(fig)
    fig.canvas.draw()
    renderer = fig.canvas.get_renderer()
    dots = [ax.transData.transform((x, y)) for x, y, _ in points]
    frame, taken = ax.get_window_extent(renderer), []
    for (x, y, name), dot in zip(points, dots, strict=True):
        others = [d for d in dots if tuple(d) != tuple(dot)]
        for place in _near():
            label = _annotate(ax, name, (x, y), place)
            label.update_positions(renderer)
            box = Text.get_window_extent(label, renderer).padded(1)  # without its line
            crosses = place.far and _crosses(dot, _middle(box), taken)
            if not crosses and _is_free(box, frame, taken, others):
                taken.append(box)
                break
            label.remove()


def _annotate(ax, name, point, place: _Place):
    """A label at a place around its point; a far one with a line to it."""
    line = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 2}
    return ax.annotate(
        name,
        point,
        xytext=(place.dx, place.dy),
        textcoords="offset points",
        ha=place.ha,
        va=place.va,
        fontsize=8,
        arrowprops=line if place.far else None,
    )


def _middle(box) -> tuple[float, float]:
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


def _is_free(box, frame, taken, dots) -> bool:
    """Whether a label lies in the frame, on no other one and no dot."""
    inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
    return (
        inside
        and not any(box.overlaps(other) for other in taken)
        and not any(box.contains(*dot) for dot in dots)
    )
