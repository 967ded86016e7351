"""A linear convolution beside an mlpconv layer, as *Network in Network*, Figure 1, draws them."""

from __future__ import annotations

from ...cost import short, total
from .planes import SQUEEZE, Plane, bare, blend, draw_grid, draw_window
from .style import BLUE, GREY, ORANGE

SMALL = 7.5  # points
WIDTH, HEIGHT = 6.7, 3.3  # inches: two columns of a paper
SIDE, WINDOW = 8, 3  # cells of the drawn maps, and of the window; not those of the traced layer
UNITS = 4  # circles that stand for all units of a layer
BETWEEN = 2.3  # from a layer of units to the next
ROW, COLUMN = 3, 2  # where the window begins


def mlpconv(result):
    """Left: each value is a linear function of its window. Right: it is the output of an MLP, which
    slides over the input in the same way."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    panels = fig.subplots(1, 2, width_ratios=(1, 1.0))
    hidden = (result.widths[:-1], BLUE)
    for ax, word, trace, (widths, color) in zip(
        panels,
        ("Linear convolution", "Mlpconv"),
        (result.linear, result.mlp),
        (((), ORANGE), hidden),
        strict=True,
    ):
        _sliding(ax, result, widths, color)
        count = total(trace)
        ax.set_title(
            f"{word}: {short(count.params)} params, {short(count.macs)} MACs",
            fontsize=8.5,
        )
    return fig


def _sliding(ax, result, widths: tuple[int, ...], color: str) -> None:
    """Input maps, a window, the layers of hidden units of these `widths`, and the output map."""
    top = 2.6 + BETWEEN * 2.5
    stack = [Plane(SIDE, SIDE, -0.25 * i, -0.5 * i) for i in (2, 1, 0)]
    for plane in stack:
        draw_grid(ax, plane, lambda y, x: blend(GREY, 0.08))
    front = stack[-1]
    draw_window(ax, front, (ROW, COLUMN, WINDOW, WINDOW), color)
    output = Plane(SIDE - 2, SIDE - 2, 0.0, top + 1.6)
    draw_grid(ax, output, lambda y, x: color if (y, x) == (ROW, COLUMN) else blend(color, 0.1))
    end = output.at(ROW + 0.5, COLUMN + 0.5)
    layers = [_units(end[0], 3.0 + BETWEEN * i) for i in range(len(widths))]
    corners = front.corners(ROW, COLUMN, WINDOW, WINDOW)
    for points, others in zip([corners, *layers], [*layers, [end]], strict=True):
        _connect(ax, points, others, color)
    for width, units in zip(widths, layers, strict=True):
        _circles(ax, units, color)
        x, y = units[-1]
        ax.text(x + 0.7, y, f"{width} units", va="center", fontsize=SMALL)
    _labels(ax, result, front, output, color)
    bare(ax, (-8.4, 9.2), (-3.4, top + 3.4))


def _units(x: float, y: float) -> list[tuple[float, float]]:
    return [(x + 1.15 * (i - (UNITS - 1) / 2), y) for i in range(UNITS)]


def _connect(ax, points, others, color: str) -> None:
    """A line from each point to each other one."""
    for x, y in points:
        for u, v in others:
            ax.plot((x, u), (y, v), color=color, linewidth=0.7, zorder=3)


def _circles(ax, units, color: str) -> None:
    from matplotlib.patches import Circle

    for unit in units:
        ax.add_patch(
            Circle(
                unit, 0.36, facecolor=blend(color, 0.3), edgecolor=color, linewidth=0.9, zorder=5
            )
        )


def _labels(ax, result, front: Plane, output: Plane, color: str) -> None:
    """What the maps are, with the sizes of the traced layer."""
    channels, height, width = result.input
    rows, columns = result.output
    left = front.at(front.rows, 0)[0]
    for plane, text in (
        (front, f"input\n{height}x{width}x{channels}"),
        (output, f"output\n{rows}x{columns}x{result.widths[-1]}"),
    ):
        ax.text(left - 0.1, plane.y + SQUEEZE, text, ha="center", va="center", fontsize=SMALL)
    middle = (front.y + SQUEEZE * SIDE / 2 + output.y - SQUEEZE * (SIDE - 2) / 2) / 2
    ax.text(
        left - 0.1,
        middle,
        f"{result.kernel}x{result.kernel}\nwindow",
        ha="center",
        va="center",
        color=color,
        fontweight="bold",
        fontsize=SMALL,
    )
