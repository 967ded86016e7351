"""Networks side by side to one scale: a row a layer from the input up, params to the left, MACs to
the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...cost import three_digits
from ...tables import display_names
from .figures import entitle, figure, legend_below
from .lettering import POINTS, SMALL, wrapped
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.illustrations import Tower, Towers

TALLEST = 8.4  # inches of a page
PITCH = 12.0  # points a level
NARROWEST = 75  # points a tower; narrower ones stand in several rows
BAR = 0.72  # of a level's height
LANE = 0.13  # from a layer to the one in parallel
LAYER = 0.1  # width of a layer's box
LONG = 0.6  # of the longest bar, from where on a number stands within
APART = 9  # points between two numbers above one another


@dataclass(frozen=True)
class _Scale:
    """What all towers share: the most params and MACs of a level, half the width of the widest
    level's boxes, how many levels high, and points a level."""

    params: int
    macs: int
    half: float
    levels: int
    pitch: float


def towers(result: Towers, look: Look = PLAIN) -> Figure:
    """Each network as a tower: a box a layer, those in parallel beside each other."""
    count = len(result.towers)
    columns = min(count, max(1, int(look.room(0.96) / NARROWEST)))
    rows = -(-count // columns)
    names = display_names([tower.name for tower in result.towers])
    titles = [
        _title(name, tower, look.room(0.86) / columns)
        for name, tower in zip(names, result.towers, strict=True)
    ]
    scale = _scale(result.towers, TALLEST * POINTS / rows)
    above = (max(title.count("\n") for title in titles) + 1) * 10
    height = rows * (scale.pitch * (scale.levels + 2) + above) / POINTS + 0.6
    fig, axes = figure(look, height, rows, columns, sharey=True, squeeze=False)
    for ax in axes.flat:
        ax.set_ylim(-1.6, scale.levels + 0.4)
        ax.set_xlim(-1 - scale.half, 1 + scale.half)
        ax.set_axis_off()
    for ax, tower, title in zip(axes.flat, result.towers, titles, strict=False):
        _tower(ax, tower, scale, look.theme)
        ax.set_title(title, fontweight="normal", fontsize=SMALL)
    _key(fig, look)
    entitle(fig, look, f"{', '.join(names)} on one scale")
    return fig


def _scale(found: tuple[Tower, ...], room: float) -> _Scale:
    every = [level for tower in found for level in tower.levels]
    levels = max(len(tower.levels) for tower in found)
    return _Scale(
        max(level.params for level in every) or 1,
        max(level.macs for level in every) or 1,
        LANE * max(len(level.kinds) for level in every) / 2 + 0.07,
        levels,
        min(PITCH, room / (levels + 2)),
    )


def _title(name: str, tower: Tower, room: float) -> str:
    said = (
        name,
        f"{tower.depth} layers deep",
        f"{three_digits(tower.params)} params",
        f"{three_digits(tower.macs)} MACs",
    )
    return "\n".join(line for words in said for line in wrapped(words, room))


def _tower(ax: Axes, tower: Tower, scale: _Scale, theme: Theme) -> None:
    places = [i + 0.5 for i in range(len(tower.levels))]
    params = [level.params / scale.params for level in tower.levels]
    macs = [level.macs / scale.macs for level in tower.levels]
    half = scale.half
    ax.barh(places, [-v for v in params], left=-half, color=theme.params, height=BAR)
    ax.barh(places, macs, left=half, color=theme.macs, height=BAR)
    for place, level in zip(places, tower.levels, strict=True):
        _layers(ax, level.kinds, place, theme)
    most = max(range(len(params)), key=params.__getitem__)
    _grids(ax, tower, params, scale, most)
    thin = BAR * scale.pitch < SMALL  # points: the bars are lower than the letters
    number = three_digits(tower.levels[most].params)
    _largest(ax, number, params[most], most, -half, theme, thin=thin)
    most = max(range(len(macs)), key=macs.__getitem__)
    number = three_digits(tower.levels[most].macs)
    _largest(ax, number, macs[most], most, half, theme, thin=thin)
    ax.text(0, -0.25, f"input {_side(tower)}", ha="center", va="top", fontsize=SMALL)


def _side(tower: Tower) -> str:
    return f"{tower.input[0]}x{tower.input[1]}"


def _kinds(theme: Theme) -> dict[str, str]:
    """Colors of layers; pools are of the last one."""
    return {"conv": theme.muted, "transposed conv": theme.muted, "linear": theme.ink}


def _layers(ax: Axes, kinds: tuple[str, ...], place: float, theme: Theme) -> None:
    from matplotlib.patches import Rectangle

    for i, kind in enumerate(kinds):
        corner = (LANE * (i - (len(kinds) - 1) / 2) - LAYER / 2, place - BAR / 2)
        color = _kinds(theme).get(kind, theme.worse)
        ax.add_patch(Rectangle(corner, LAYER, BAR, facecolor=color, linewidth=0))


def _grids(ax: Axes, tower: Tower, params: list[float], scale: _Scale, most: int) -> None:
    """The side of the grid at the first level that has it, beyond its bar; not at the level that
    has the number of the longest bar, nor over another one."""
    before, last = 0, -scale.levels
    for i, level in enumerate(tower.levels):
        new, before = level.grid != before and level.grid > 1, level.grid
        apart = min(i - last, abs(i - most)) * scale.pitch
        if new and apart >= APART and params[i] < LONG:
            at = -scale.half - params[i] - 0.03
            ax.text(at, i + 0.5, str(level.grid), ha="right", va="center", fontsize=SMALL)
            last = i


def _largest(
    ax: Axes, text: str, share: float, level: int, start: float, theme: Theme, *, thin: bool
) -> None:
    """The value of a tower's longest bar: in it where it is long, on paper of its own where the bar
    is too thin for it, otherwise beyond its end."""
    sign, long = (1 if start > 0 else -1), share > LONG
    color = theme.macs if sign > 0 else theme.params
    paper = {"facecolor": theme.paper, "edgecolor": "none", "pad": 0.8}
    ax.text(
        start + sign * 0.03 if long else start + sign * (share + 0.03),
        level + 0.5,
        text,
        ha="left" if sign > 0 else "right",
        va="center",
        fontsize=SMALL,
        color=theme.on(color) if long and not thin else theme.ink,
        bbox=paper if long and thin else None,
    )


def _key(fig: Figure, look: Look) -> None:
    """What the colors are."""
    from matplotlib.patches import Patch

    theme = look.theme
    words = {
        "params of the level": theme.params,
        "its MACs": theme.macs,
        "convolution": _kinds(theme)["conv"],
        "linear layer": _kinds(theme)["linear"],
        "pool": theme.worse,
    }
    patches = [Patch(facecolor=color, label=word) for word, color in words.items()]
    legend_below(fig, patches, list(words), look)
