"""A linear convolution beside an mlpconv layer, as *Network in Network*, Figure 1, draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...cost import three_digits, total
from .planes import SQUEEZE, Plane, Point, bare, blend, draw_grid, draw_window
from .figures import entitle, figure
from .lettering import SMALL, TEXT, wrapped
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.illustrations import Neurons

SIDE, WINDOW = 8, 3  # cells of the drawn maps, and of the window; not those of the traced layer
UNITS = 4  # circles that stand for all units of a layer
BETWEEN = 2.3  # from a layer of units to the next
ROW, COLUMN = 3, 2  # where the window begins
BOTTOM = -3.4  # of the drawing


def mlpconv(result: Neurons, look: Look = PLAIN) -> Figure:
    """Left: each value is a linear function of its window. Right: it is the output of an MLP, which
    slides over the input in the same way."""
    rows, columns = (2, 1) if look.narrow else (1, 2)
    units = _top(result) - BOTTOM + 3.4
    fig, panels = figure(look, rows * 0.17 * units + 0.4, rows, columns)
    hidden = result.widths[:-1]
    for ax, word, trace, widths, color in zip(
        panels,
        ("Linear convolution", "Mlpconv"),
        (result.linear, result.mlp),
        ((), hidden),
        (look.theme.params, look.theme.macs),
        strict=True,
    ):
        _sliding(ax, result, widths, color, look.theme)
        count = total(trace)
        said = f"{word}: {three_digits(count.params)} params, {three_digits(count.macs)} MACs"
        ax.set_title("\n".join(wrapped(said, look.room(0.9) / columns, TEXT, bold=True)))
    entitle(fig, look, "What slides over the input")
    return fig


def _top(result: Neurons) -> float:
    """How high the layers of units reach."""
    return 2.6 + BETWEEN * max(2.5, len(result.widths) - 0.5)


def _sliding(ax: Axes, result: Neurons, widths: tuple[int, ...], color: str, theme: Theme) -> None:
    """Input maps, a window, the layers of hidden units of these `widths`, and the output map."""
    top = _top(result)
    for i in (2, 1, 0):
        front = Plane(SIDE, SIDE, -0.25 * i, -0.5 * i)
        draw_grid(ax, front, lambda y, x: blend(theme.muted, 0.08, theme.paper), theme)
    draw_window(ax, front, (ROW, COLUMN, WINDOW, WINDOW), color)
    output = Plane(SIDE - 2, SIDE - 2, 0.0, top + 1.6)
    pale = blend(color, 0.1, theme.paper)
    draw_grid(ax, output, lambda y, x: color if (y, x) == (ROW, COLUMN) else pale, theme)
    end = output.at(ROW + 0.5, COLUMN + 0.5)
    layers = [_units(end[0], 3.0 + BETWEEN * i) for i in range(len(widths))]
    corners = front.corners(ROW, COLUMN, WINDOW, WINDOW)
    for points, others in zip([corners, *layers], [*layers, [end]], strict=True):
        _connect(ax, points, others, color)
    for width, units in zip(widths, layers, strict=True):
        _circles(ax, units, color, theme)
        x, y = units[-1]
        ax.text(x + 0.7, y, f"{width} units", va="center", fontsize=SMALL)
    _labels(ax, result, front, output)
    bare(ax, (-9.2, 9.2), (BOTTOM, top + 3.4))


def _units(x: float, y: float) -> list[tuple[float, float]]:
    return [(x + 1.15 * (i - (UNITS - 1) / 2), y) for i in range(UNITS)]


def _connect(ax: Axes, points: Sequence[Point], others: Sequence[Point], color: str) -> None:
    """A line from each point to each other one."""
    for x, y in points:
        for u, v in others:
            ax.plot((x, u), (y, v), color=color, linewidth=0.7, zorder=3)


def _circles(ax: Axes, units: Sequence[Point], color: str, theme: Theme) -> None:
    from matplotlib.patches import Circle

    face = blend(color, 0.3, theme.paper)
    for unit in units:
        circle = Circle(unit, 0.36, facecolor=face, edgecolor=color, linewidth=0.9, zorder=5)
        ax.add_patch(circle)


def _labels(ax: Axes, result: Neurons, front: Plane, output: Plane) -> None:
    """What the maps are, with the sizes of the traced layer, left of them."""
    channels, height, width = result.input
    rows, columns = result.output
    for plane, text in (
        (front, f"input\n{height}x{width}x{channels}"),
        (output, f"output\n{rows}x{columns}x{result.widths[-1]}"),
    ):
        left = plane.at(plane.rows / 2 + 1.5, 0)[0] - 0.7
        ax.text(left, plane.y + SQUEEZE, text, ha="right", va="center", fontsize=SMALL)
    left = front.at(front.rows, 0)[0]
    middle = (front.y + SQUEEZE * SIDE / 2 + output.y - SQUEEZE * (SIDE - 2) / 2) / 2
    window = f"{result.kernel}x{result.kernel}\nwindow"
    ax.text(left, middle, window, ha="center", va="center", fontsize=SMALL)
