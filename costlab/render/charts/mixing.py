"""A 1x1 convolution between a few maps."""

from __future__ import annotations

from .planes import SHEAR, SQUEEZE, Plane, bare, blend, draw_grid
from .style import BLUE, GREEN, ORANGE, RED

SMALL = 7.5  # points
WIDTH = 6.7  # inches: two columns of a paper
LEFT, RIGHT = 0.0, 15.0  # where the maps stand, in cells of the first scale
APART = 1.1  # cells between maps above one another
COLORS = (BLUE, ORANGE, GREEN, RED)  # of the outputs, and of their weights


def mixing(result):
    """The maps before and after, and a line for each weight between one position of them."""
    from matplotlib.figure import Figure

    side = result.side
    tall = SQUEEZE * side + APART
    up = tall * max(result.c_in, result.c_out)
    wide = side * (1 + SHEAR)
    across = 2 * wide + 1.5 * side + 5
    fig = Figure(figsize=(WIDTH, min(8.5, WIDTH / across * (up + 1.6) + 0.3)), layout="constrained")
    ax = fig.subplots()
    bare(ax, (-wide / 2 - 2.2, across - wide / 2 - 2.2), (-up / 2 - 0.9, up / 2 + 0.7))
    place = across - wide - 5.2
    inputs = _stack(result.c_in, side, 0.0, tall)
    outputs = _stack(result.c_out, side, place, tall)
    row, column = side // 2, side // 2
    for i, plane in enumerate(inputs, 1):
        _map(ax, plane, (row, column), "#444444")
        _name(ax, plane, f"input {i}", "right")
    for j, plane in enumerate(outputs):
        color = COLORS[j % len(COLORS)]
        _map(ax, plane, (row, column), color)
        _name(ax, plane, f"output {j + 1}", "left")
        for source in inputs:
            _line(ax, _middle(source, row, column), _middle(plane, row, column), color)
    said = (
        f"{result.c_in} x {result.c_out} = {result.weights} weights and {result.biases} biases, "
        f"the same at each of {side} x {side} positions: {result.macs} multiply-adds"
    )
    ax.text(
        (inputs[0].x + place) / 2, -up / 2 - 0.7, said, ha="center", va="center", fontsize=SMALL
    )
    return fig


def _stack(count: int, side: int, x: float, tall: float) -> list[Plane]:
    """Maps above one another around a height of 0, the first on top."""
    return [Plane(side, side, x, tall * ((count - 1) / 2 - i)) for i in range(count)]


def _map(ax, plane: Plane, chosen: tuple[int, int], color: str) -> None:
    """A map with one position marked."""
    draw_grid(ax, plane, lambda y, x: color if (y, x) == chosen else blend(color, 0.12))


def _middle(plane: Plane, row: int, column: int) -> tuple[float, float]:
    return plane.at(row + 0.5, column + 0.5)


def _line(ax, start, end, color: str) -> None:
    (x, y), (u, v) = start, end
    ax.plot((x, u), (y, v), color=color, linewidth=1, zorder=5)


def _name(ax, plane: Plane, text: str, side: str) -> None:
    """Beside the map, on the side away from the lines."""
    row, column = (plane.rows, 0) if side == "right" else (0, plane.columns)
    x = plane.at(row, column)[0]
    ax.text(
        x - 0.3 if side == "right" else x + 0.3,
        plane.y,
        text,
        ha=side,
        va="center",
        fontsize=SMALL,
    )
