"""Labels of points that overlap nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from .lettering import SMALL
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

Point = tuple[float, float]

_STEP = 3.0  # pixels; no label is so small
_DOT = 4.0  # pixels from the middle of a point to its edge


def _crosses(a: Point, b: Point, boxes: Iterable[Bbox]) -> bool:
    """Whether the way from a to b goes through one of the boxes."""
    return any(box.contains(*at) for box in boxes for at in _steps([a, b])[1:-1])


def _around(dot: Point) -> Bbox:
    """The box of a point, which no line to another point may cross."""
    from matplotlib.transforms import Bbox

    return Bbox.from_extents(*dot, *dot).padded(_DOT)


def _steps(corners: Sequence[Point]) -> list[Point]:
    """Points along a line through the corners, close enough to find a label on it."""
    found = list(corners[:1])
    for (x0, y0), (x1, y1) in pairwise(corners):
        n = max(2, ceil(max(abs(x1 - x0), abs(y1 - y0)) / _STEP))
        found += [(x0 + (x1 - x0) * k / n, y0 + (y1 - y0) * k / n) for k in range(1, n + 1)]
    return found


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
    for radius in (22, 36, 52, 70, 90, 115, 145, 180):
        for dx, dy in _WAYS:
            yield _Place(radius * dx, radius * dy, _SIDES[dx], _HEIGHTS[dy], far=True)


def label_points(
    fig: Figure,
    ax: Axes,
    points: Sequence[tuple[float, float, str]],
    theme: Theme,
    *,
    others: Sequence[Point] = (),
    lines: Sequence[Sequence[Point]] = (),
    far: bool = True,
) -> int:
    """Label points without overlap: the first of several places around a point, within the axes,
    that touches no label, no point, none of the `others` and none of the `lines`, each through its
    corners; with `far` also places that need a line. Returns how many found no room and have no
    label."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    renderer = canvas.get_renderer()
    dots = [_pixels(ax, at) for at in [*((x, y) for x, y, _ in points), *others]]
    drawn = [at for line in lines for at in _steps([_pixels(ax, corner) for corner in line])]
    frame, missing = ax.get_window_extent(renderer), 0
    taken: list[Bbox] = []
    for (x, y, name), dot in zip(points, dots, strict=False):
        apart = [d for d in dots if d != dot]
        for place in _near() if far else _CLOSE:
            label = _annotate(ax, name, (x, y), place, theme)
            label.update_positions(renderer)
            box = Text.get_window_extent(label, renderer).padded(1)  # without its line
            crosses = place.far and _crosses(dot, _middle(box), [*taken, *map(_around, apart)])
            hides = any(box.contains(*at) for at in drawn)
            if not crosses and not hides and _is_free(box, frame, taken, apart):
                taken.append(box)
                drawn += _steps([dot, _middle(box)]) if place.far else []
                break
            label.remove()
        else:
            missing += 1
    return missing


def _pixels(ax: Axes, at: Point) -> Point:
    """Where a point of the data is drawn."""
    x, y = ax.transData.transform(at)
    return float(x), float(y)


def _annotate(ax: Axes, name: str, point: Point, place: _Place, theme: Theme) -> Annotation:
    """A label at a place around its point; a far one with a line to it."""
    line = {"arrowstyle": "-", "color": theme.muted, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2}
    return ax.annotate(
        name,
        point,
        xytext=(place.dx, place.dy),
        textcoords="offset points",
        ha=place.ha,
        va=place.va,
        fontsize=SMALL,
        arrowprops=line if place.far else None,
    )


def _middle(box: Bbox) -> Point:
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


def _is_free(box: Bbox, frame: Bbox, taken: Iterable[Bbox], dots: Iterable[Point]) -> bool:
    """Whether a label lies in the frame, on no other one and no dot."""
    inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
    return (
        inside
        and not any(box.overlaps(other) for other in taken)
        and not any(box.padded(3).contains(*dot) for dot in dots)
    )
