"""A 1x1 convolution between a few maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .planes import SHEAR, SQUEEZE, Plane, bare, blend, draw_grid
from .figures import entitle, figure
from .lettering import SMALL, text_width, wrapped
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.illustrations import Mixing

TALLEST = 8.2  # inches
APART = 1.1  # cells between maps above one another
BETWEEN = 2.5  # sides between the maps before and after


def mixing(result: Mixing, look: Look = PLAIN) -> Figure:
    """The maps before and after, and a line for each weight between one position of them."""
    side = result.side
    tall = SQUEEZE * side + APART
    up = tall * max(result.c_in, result.c_out)
    wide = side * (1 + SHEAR)
    across = wide + BETWEEN * side
    names = 2 * (text_width(f"output {result.c_out}") + 6)  # points
    cell = min((look.room(0.96) - names) / (across + 0.6), TALLEST * 72 / up, 30)
    fig, ax = figure(look, up * cell / 72 + 0.7)
    margin = wide / 2 + 0.3 + names / 2 / cell
    place = across - wide
    bare(ax, (-margin, place + margin), (-up / 2, up / 2))
    inputs = _stack(result.c_in, side, 0.0, tall)
    outputs = _stack(result.c_out, side, place, tall)
    position = side // 2, side // 2
    for i, plane in enumerate(inputs, 1):
        _map(ax, plane, position, look.theme.ink, look.theme)
        _name(ax, plane, f"input {i}", "right")
    for j, plane in enumerate(outputs):
        color = look.theme.series[j % len(look.theme.series)]
        _map(ax, plane, position, color, look.theme)
        _name(ax, plane, f"output {j + 1}", "left")
        for source in inputs:
            _line(ax, _middle(source, *position), _middle(plane, *position), color)
    said = (
        f"{result.c_in} x {result.c_out} = {result.weights} weights and {result.biases} biases, "
        f"the same at each of {side} x {side} positions: {result.macs:,} multiply-adds"
    )
    fig.supxlabel("\n".join(wrapped(said, look.room(0.9))), fontsize=SMALL)
    entitle(fig, look, f"1x1 convolution, {result.c_in} to {result.c_out} maps, weight by weight")
    return fig


def _stack(count: int, side: int, x: float, tall: float) -> list[Plane]:
    """Maps above one another around a height of 0, the first on top."""
    return [Plane(side, side, x, tall * ((count - 1) / 2 - i)) for i in range(count)]


def _map(ax: Axes, plane: Plane, chosen: tuple[int, int], color: str, theme: Theme) -> None:
    """A map with one position marked."""
    pale = blend(color, 0.12, theme.paper)
    draw_grid(ax, plane, lambda y, x: color if (y, x) == chosen else pale, theme)


def _middle(plane: Plane, row: int, column: int) -> tuple[float, float]:
    return plane.at(row + 0.5, column + 0.5)


def _line(ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    (x, y), (u, v) = start, end
    ax.plot((x, u), (y, v), color=color, linewidth=1, zorder=5)


def _name(ax: Axes, plane: Plane, text: str, side: str) -> None:
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
