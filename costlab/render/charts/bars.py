"""Bars beside names, with a number at the end of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...cost import three_digits
from ..shorten import shorten_to
from .lettering import POINTS, SMALL, text_width, wrapped
from .looks import Look
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

ROW = 12.5 / POINTS  # inches between two rows of small text
_GAP = 3  # points between a bar and its number
_MOST = 0.75  # of a panel's width that the longest bar takes at least
_HATCH = "////"
INTERVAL = "interval"  # the gid of a line that is one


def names_beside(ax: Axes, names: Sequence[str], look: Look, share: float = 0.3) -> None:
    """Names down the left side, the first at the top, in a share of the width: shortened where they
    are longer."""
    room = look.room(share)
    shown = shorten_to(names, lambda text: text_width(text) <= room)
    _rows(ax, shown)


def wrapped_names(ax: Axes, names: Sequence[str], look: Look, share: float = 0.3) -> None:
    """The same on several lines where they are longer: for rows that have room for them."""
    _rows(ax, ["\n".join(wrapped(name, look.room(share))) for name in names])


def lines_of(names: Iterable[str], look: Look, share: float = 0.3) -> int:
    """The most lines that `wrapped_names` takes for a name."""
    return max(len(wrapped(name, look.room(share))) for name in names)


def row_height(names: Iterable[str], look: Look, share: float = 0.3) -> float:
    """Inches from row to row that `wrapped_names` needs."""
    return ROW * max(1.2, 0.15 + 0.68 * lines_of(names, look, share))


def _rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)


def draw_bars(
    ax: Axes,
    values: Sequence[float],
    color: str,
    theme: Theme,
    *,
    off: float = 0,
    height: float = 0.72,
    left: Sequence[float] | float = 0,
    hatched: bool = False,
    label: str | None = None,
) -> Any:
    """Horizontal bars, one a row; `off` rows below its middle; hatched ones can be told apart in
    grey."""
    return ax.barh(
        [place + off for place in range(len(values))],
        values,
        left=left,
        color=color,
        height=height,
        hatch=_HATCH if hatched else None,
        edgecolor=theme.paper,
        linewidth=0.4 if hatched else 0,
        label=label,
    )


def number(ax: Axes, text: str, x: float, y: float, **kw: Any) -> Annotation:
    """A number at the end of a bar."""
    return ax.annotate(
        text,
        (x, y),
        xytext=(_GAP, 0),
        textcoords="offset points",
        va="center_baseline" if "\n" not in text else "center",
        fontsize=SMALL,
        **kw,
    )


def bars_with_numbers(
    ax: Axes,
    values: Sequence[float],
    color: str,
    theme: Theme,
    spell: Callable[[float], str] = three_digits,
    **kw: Any,
) -> Any:
    """Bars and their numbers."""
    found = draw_bars(ax, values, color, theme, **kw)
    off = kw.get("off", 0)
    for place, value in enumerate(values):
        number(ax, spell(value), max(value, 0), place + off)
    return found


def interval(ax: Axes, ends: Sequence[float], y: float, theme: Theme) -> None:
    """A line between the ends of an interval."""
    ax.plot(ends, [y, y], "|-", color=theme.ink, linewidth=0.7, markersize=4, gid=INTERVAL)


def put_before(ax: Axes, label: Annotation, x: float, longest: float) -> None:
    """Move a number from the end of its bar to before its beginning at `x`, where there is room on
    a scale on which the `longest` bar takes most of the width."""
    points = ax.get_window_extent().width * POINTS / ax.figure.dpi
    if longest and _MOST * points * x / longest > text_width(label.get_text()) + 2 * _GAP:
        label.xy = x, label.xy[1]
        label.set(ha="right")
        label.xyann = (-_GAP, 0)


def without_scale(ax: Axes) -> None:
    """No horizontal axis: each bar has its number."""
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.spines["left"].set_linewidth(0.6)


def make_room(fig: Figure, panels: Iterable[Axes], *, shared: bool = False) -> None:
    """Scales from the longest bar to the edge, so that every number beside a bar is inside its
    panel; `shared`: one scale for all panels."""
    fig.draw_without_rendering()
    panels = list(panels)
    tops = [_top(ax) for ax in panels]
    for ax, top in zip(panels, tops, strict=True):
        ax.set_xlim(ax.get_xlim()[0], max(tops) if shared else top)


def _top(ax: Axes) -> float:
    """The right end of a panel's scale."""
    drawn = [line for line in ax.lines if line.get_gid() == INTERVAL]
    intervals = [float(x) for line in drawn for x in np.asarray(line.get_xdata(), float)]
    low = min([0.0, *intervals, *(bar.get_x() + bar.get_width() for bar in ax.patches)])  # type: ignore[attr-defined]
    ax.set_xlim(left=low)
    ends = [bar.get_x() + max(bar.get_width(), 0) for bar in ax.patches]  # type: ignore[attr-defined]
    width = ax.get_window_extent().width * POINTS / ax.figure.dpi
    tops = [max([*ends, 1e-9])]
    for text in ax.texts:
        if text.get_text() and text.get_horizontalalignment() == "left":
            label = max(map(text_width, text.get_text().split("\n"))) + _GAP + 2
            free = max(width - label, 0.1 * width)
            tops.append(low + (text.xy[0] - low) * width / free)  # type: ignore[attr-defined]
    return max(tops)


def cut_mark(ax: Axes, x: float, y: float, theme: Theme) -> None:
    """Two slanted strokes at the end of a bar that is longer than it is drawn."""
    from matplotlib.transforms import ScaledTranslation

    for points in (6, 9):
        shift = ScaledTranslation(points / POINTS, 0, ax.figure.dpi_scale_trans)
        ax.plot(
            [x],
            [y],
            marker=[(-1, -2), (1, 2)],
            markersize=9,
            markeredgewidth=1.6,
            color=theme.paper,
            transform=ax.transData + shift,
            gid="cut",
            zorder=5,
        )
