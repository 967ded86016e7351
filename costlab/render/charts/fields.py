"""Mini-networks over pixels: which inputs one output depends on, layer by layer."""

from __future__ import annotations

from .planes import SHEAR, SQUEEZE, Plane, bare, blend, draw_cone, draw_grid, draw_window
from .style import BLUE, GREEN, ORANGE, RED

SMALL = 7.5  # points
WIDTH, TALLEST = 6.7, 9.0  # inches: two columns of a paper, and a page
COLUMNS = 2  # chains side by side
GAP = 1.6  # cells between the edges of planes above one another
BESIDE = 3.6  # cells to the left of a plane for its name
COLORS = (ORANGE, GREEN, RED)  # of the windows, from the input
READABLE = 9  # points that a cell has to be tall for a number


def fields(result):
    """Each chain of convolutions as planes: the inputs at the bottom, one output on top. Inputs are
    darker the more paths lead from them to the output."""
    from matplotlib.figure import Figure

    up = max(sum(map(_depth, _grids(chain))) + GAP * len(chain.layers) for chain in result.chains)
    stacks = [_planes(chain, up) for chain in result.chains]
    across = max(map(_width, stacks))
    rows = -(-len(stacks) // COLUMNS)
    cell = min(WIDTH / COLUMNS / across, (TALLEST / rows - 0.5) / up, 0.42)
    fig = Figure(figsize=(WIDTH, rows * (up * cell + 0.5)), layout="constrained")
    axes = list(fig.subplots(rows, COLUMNS, squeeze=False).flat)
    for ax in axes:
        bare(ax, (-BESIDE - across / 2 + BESIDE / 2, across / 2 - BESIDE / 2), (-0.1, up + 0.1))
    for ax, chain, stack in zip(axes, result.chains, stacks, strict=False):
        _draw(ax, chain, stack, numbers=72 * cell * SQUEEZE >= READABLE)
        ax.set_title(_title(chain, result.chains), fontsize=SMALL, fontweight="normal")
    fig.supxlabel("shade and numbers: the ways by which a value reaches the output", fontsize=SMALL)
    return fig


def _grids(chain) -> list[tuple[int, int]]:
    return [chain.field, *(layer.grid for layer in chain.layers)]


def _depth(grid: tuple[int, int]) -> float:
    """How tall a grid looks."""
    return SQUEEZE * grid[0]


def _planes(chain, up: float) -> list[Plane]:
    """The grids of a chain above one another, from its inputs at 0 to its output at `up`."""
    grids = _grids(chain)
    gap = (up - sum(map(_depth, grids))) / len(chain.layers)
    planes, bottom = [], 0.0
    for grid in grids:
        planes.append(Plane(*grid, 0.0, bottom + _depth(grid) / 2))
        bottom += _depth(grid) + gap
    return planes


def _width(stack: list[Plane]) -> float:
    return max(plane.columns + SHEAR * plane.rows for plane in stack) + BESIDE


def _draw(ax, chain, stack: list[Plane], *, numbers: bool) -> None:
    for depth, plane in enumerate(stack):
        counts = chain.paths(depth)
        most = max(map(max, counts))
        draw_grid(ax, plane, lambda y, x, c=counts, m=most: _shade(c[y][x], m))
        if numbers and depth == 0 and most > 1:
            _write_paths(ax, plane, counts)
        left, middle = plane.at(plane.rows, 0)[0], plane.y
        grid = f"{plane.rows}x{plane.columns}"
        word = "inputs" if depth == 0 else "values"
        said = "output" if depth == len(chain.layers) else f"{grid} {word}"
        ax.text(left - 0.3, middle, said, ha="right", va="center", fontsize=SMALL)
    for depth, layer in enumerate(chain.layers):
        below, above, color = stack[depth], stack[depth + 1], COLORS[depth % len(COLORS)]
        row, column = above.rows - 1, 0  # the value in front, on the left
        window = (row, column, *layer.kernel)
        draw_window(ax, below, window, color)
        draw_window(ax, above, (row, column, 1, 1), color, zorder=5)
        draw_cone(ax, above.corners(row, column), below.corners(*window), color)
        (x, y), (u, v) = above.corners(row, column)[3], below.corners(*window)[3]
        height, width = layer.kernel
        ax.text(
            (x + u) / 2 - 0.4,
            (y + v) / 2,
            f"{height}x{width}",
            color=color,
            fontsize=SMALL,
            fontweight="bold",
            ha="right",
            va="center",
        )


def _shade(paths: int, most: int) -> str:
    return blend(BLUE, 0.6 * paths / most)


def _write_paths(ax, plane: Plane, counts) -> None:
    most = max(map(max, counts))
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            (u, v), (w, z) = plane.at(y, x), plane.at(y + 1, x + 1)
            ax.text(
                (u + w) / 2,
                (v + z) / 2,
                str(count),
                fontsize=7,
                ha="center",
                va="center_baseline",
                zorder=6,
                bbox={"facecolor": _shade(count, most), "edgecolor": "none", "pad": 0.4},
            )


def _title(chain, chains) -> str:
    """What it is, and what it saves against the first chain that sees as much."""
    first = next(other for other in chains if other.field == chain.field)
    weights = f"{chain.weights} weights"
    if chain is not first:
        saved = 1 - chain.weights / first.weights
        weights += f", {abs(saved):.0%} {'fewer' if saved >= 0 else 'more'} than {first.name}"
    return f"{chain.name}: {weights}"
