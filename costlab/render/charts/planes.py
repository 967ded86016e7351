"""Grids that lie flat and are seen obliquely, as the papers draw feature maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHEAR, SQUEEZE = 0.45, 0.42  # what a row moves to the right, and how tall it looks, in cells

Point = tuple[float, float]


@dataclass(frozen=True)
class Plane:
    """A grid of `rows` x `columns` cells of unit width, its middle at (`x`, `y`) of the drawing.
    Row 0 is the farthest."""

    rows: int
    columns: int
    x: float = 0.0
    y: float = 0.0

    def at(self, row: float, column: float) -> Point:
        """Where a corner of the grid is seen."""
        back, right = self.rows / 2 - row, column - self.columns / 2
        return self.x + right + SHEAR * back, self.y + SQUEEZE * back

    def corners(
        self, row: float, column: float, height: float = 1, width: float = 1
    ) -> list[Point]:
        """The corners of a window: back left, back right, front right, front left."""
        bottom, right = row + height, column + width
        return [
            self.at(row, column),
            self.at(row, right),
            self.at(bottom, right),
            self.at(bottom, column),
        ]

    @property
    def outline(self) -> list[Point]:
        """The corners of the grid."""
        return self.corners(0, 0, self.rows, self.columns)


def draw_grid(
    ax: Axes,
    plane: Plane,
    fill: Callable[[int, int], str],
    theme: Theme,
    zorder: float = 2,
) -> None:
    """All cells, each filled with `fill(row, column)`."""
    for row in range(plane.rows):
        for column in range(plane.columns):
            _polygon(ax, plane.corners(row, column), fill(row, column), theme.muted, 0.5, zorder)


def draw_window(
    ax: Axes, plane: Plane, window: Sequence[float], color: str, zorder: float = 4
) -> None:
    """The outline of a window (row, column, height, width)."""
    _polygon(ax, plane.corners(*window), "none", color, 1.4, zorder)


def draw_cone(
    ax: Axes, points: Sequence[Point], others: Sequence[Point], color: str, zorder: float = 3
) -> None:
    """Lines from each corner of a cell to that of the window below it."""
    for (x, y), (u, v) in zip(points, others, strict=True):
        ax.plot((x, u), (y, v), color=color, linewidth=0.8, zorder=zorder)


def _polygon(
    ax: Axes, points: Sequence[Point], face: str, edge: str, width: float, zorder: float
) -> None:
    from matplotlib.patches import Polygon

    ax.add_patch(
        Polygon(points, facecolor=face, edgecolor=edge, linewidth=width, zorder=zorder, closed=True)
    )


def blend(color: str, share: float, paper: str) -> str:
    """A color on paper of another, 0 for the paper and 1 for itself."""
    pairs = ((int(paper[i : i + 2], 16), int(color[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(under + (over - under) * share):02X}" for under, over in pairs)


def bare(ax: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """An axes of these limits, with equal units and nothing around it."""
    ax.set_xlim(*x)
    ax.set_ylim(*y)
    ax.set_aspect("equal")
    ax.set_axis_off()
