"""Mini-networks over pixels: which inputs one output depends on, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .planes import SHEAR, SQUEEZE, Plane, bare, blend, draw_cone, draw_grid, draw_window
from .figures import entitle, figure
from .lettering import SMALL, TEXT, text_width, wrapped
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.illustrations import Chain, Fields

TALLEST = 8.6  # inches of a page
GAP = 1.6  # cells between the edges of planes above one another
LARGEST = 30  # points of a cell
READABLE = 9  # points that a cell has to be tall for a number


def fields(result: Fields, look: Look = PLAIN) -> Figure:
    """Each chain of convolutions as planes: the inputs at the bottom, one output on top. Inputs are
    darker the more paths lead from them to the output."""
    up = max(sum(map(_depth, _grids(chain))) + GAP * len(chain.layers) for chain in result.chains)
    stacks = [_planes(chain, up) for chain in result.chains]
    columns = 1 if look.narrow else 2
    rows = -(-len(stacks) // columns)
    across, names = max(map(_width, stacks)), max(map(_names, result.chains))
    titles = [_title(chain, result.chains, look.room(0.94) / columns) for chain in result.chains]
    lines = max(title.count("\n") for title in titles) + 1
    title = lines * 1.3 * TEXT + 8  # points
    tall = (TALLEST * 72 / rows - title) / (up + 0.2)
    cell = min((look.room(0.96) / columns - names) / across, tall, LARGEST)
    fig, axes = figure(look, rows * (up * cell + title) / 72 + 0.5, rows, columns, squeeze=False)
    beside, numbers = names / cell, cell * SQUEEZE >= READABLE
    for ax in axes.flat:
        bare(ax, (-across / 2 - beside, across / 2), (-0.1, up + 0.1))
    for ax, chain, stack, words in zip(axes.flat, result.chains, stacks, titles, strict=False):
        _draw(ax, chain, stack, look, numbers=numbers)
        ax.set_title(words, fontweight="normal", fontsize=SMALL)
    marks = "shade and numbers" if numbers else "shade"
    said = f"{marks}: the number of ways in which a value reaches the output"
    fig.supxlabel("\n".join(wrapped(said, look.room(0.9))), fontsize=SMALL)
    entitle(fig, look, "Which inputs one output depends on")
    return fig


def _names(chain: Chain) -> float:
    """Points of the widest name beside a plane."""
    return max(text_width(_said(chain, depth)) for depth in range(len(chain.layers) + 1)) + 4


def _grids(chain: Chain) -> list[tuple[int, int]]:
    return [chain.field, *(layer.grid for layer in chain.layers)]


def _depth(grid: tuple[int, int]) -> float:
    """How tall a grid looks."""
    return SQUEEZE * grid[0]


def _planes(chain: Chain, up: float) -> list[Plane]:
    """The grids of a chain above one another, from its inputs at 0 to its output at `up`."""
    grids = _grids(chain)
    gap = (up - sum(map(_depth, grids))) / len(chain.layers)
    planes: list[Plane] = []
    bottom = 0.0
    for grid in grids:
        planes.append(Plane(*grid, 0.0, bottom + _depth(grid) / 2))
        bottom += _depth(grid) + gap
    return planes


def _width(stack: list[Plane]) -> float:
    return max(plane.columns + SHEAR * plane.rows for plane in stack)


def _said(chain: Chain, depth: int) -> str:
    """The name of a plane."""
    if depth == len(chain.layers):
        return "output"
    height, width = _grids(chain)[depth]
    return f"{height}x{width} {'values' if depth else 'inputs'}"


def _draw(ax: Axes, chain: Chain, stack: list[Plane], look: Look, *, numbers: bool) -> None:
    for depth, plane in enumerate(stack):
        counts = chain.paths(depth)
        most = max(map(max, counts))
        draw_grid(ax, plane, lambda y, x, c=counts, m=most: _shade(c[y][x], m, look), look.theme)
        if numbers and depth == 0 and most > 1:
            _write_paths(ax, plane, counts, look)
        left = plane.at(plane.rows, 0)[0]
        ax.text(left - 0.3, plane.y, _said(chain, depth), ha="right", va="center", fontsize=SMALL)
    colors = look.theme.params, look.theme.activations, look.theme.worse  # from the input
    for depth, layer in enumerate(chain.layers):
        color = colors[depth % len(colors)]
        _draw_window(ax, stack[depth], stack[depth + 1], layer.kernel, color)


def _draw_window(ax: Axes, below: Plane, above: Plane, kernel: tuple[int, int], color: str) -> None:
    """The window of a kernel, a cone to the value in front on the left, and the kernel's size."""
    row, column = above.rows - 1, 0
    window = (row, column, *kernel)
    draw_window(ax, below, window, color)
    draw_window(ax, above, (row, column, 1, 1), color, zorder=5)
    draw_cone(ax, above.corners(row, column), below.corners(*window), color)
    (x, y), (u, v) = above.corners(row, column)[3], below.corners(*window)[3]
    ax.text(
        (x + u) / 2 - 0.4,
        (y + v) / 2,
        f"{kernel[0]}x{kernel[1]}",
        fontsize=SMALL,
        fontweight="bold",
        ha="right",
        va="center",
    )


def _shade(paths: int, most: int, look: Look) -> str:
    return blend(look.theme.macs, 0.6 * paths / most, look.theme.paper)


def _write_paths(ax: Axes, plane: Plane, counts: tuple[tuple[int, ...], ...], look: Look) -> None:
    most = max(map(max, counts))
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            (u, v), (w, z) = plane.at(y, x), plane.at(y + 1, x + 1)
            ax.text(
                (u + w) / 2,
                (v + z) / 2,
                str(count),
                fontsize=SMALL,
                ha="center",
                va="center_baseline",
                zorder=6,
                bbox={"facecolor": _shade(count, most, look), "edgecolor": "none", "pad": 0.4},
            )


def _title(chain: Chain, chains: tuple[Chain, ...], room: float) -> str:
    """What it is, and what it saves against the first chain that sees as much, in lines of so many
    points."""
    first = next(other for other in chains if other.field == chain.field)
    weights = f"{chain.weights} weights"
    if chain is not first:
        saved = 1 - chain.weights / first.weights
        weights += f", {abs(saved):.0%} {'fewer' if saved >= 0 else 'more'} than {first.name}"
    return "\n".join(wrapped(f"{chain.name}: {weights}", room))
