"""Networks side by side to one scale: a row a layer from the input up, params to the left, MACs to
the right."""

from __future__ import annotations

from ...cost import short
from .style import BLUE, GREY, ORANGE, RED

SMALL = 7.5  # points
WIDTH, TALLEST = 6.7, 8.6  # inches: two columns of a paper, and a page
PITCH = 0.165  # inches a level
BAR = 0.72  # of a level's height
LANE = 0.13  # from a layer to the one in parallel
LAYER = 0.1  # width of a layer's box
COLORS = {"conv": GREY, "transposed conv": GREY, "linear": "#333333"}  # pools are red


def towers(result):
    """Each network as a tower: a box a layer, those in parallel beside each other."""
    from matplotlib.figure import Figure

    levels = max(len(tower.levels) for tower in result.towers)
    height = min(TALLEST, PITCH * levels + 1.15)
    fig = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = fig.subplots(1, len(result.towers), sharey=True, squeeze=False)[0]
    every = [level for tower in result.towers for level in tower.levels]
    most = max(level.params for level in every) or 1, max(level.macs for level in every) or 1
    half = LANE * max(len(level.kinds) for level in every) / 2 + 0.04
    for ax, tower in zip(axes, result.towers, strict=True):
        _tower(ax, tower, most, half)
        ax.set_ylim(-1.6, levels + 0.4)
        ax.set_xlim(-1 - half, 1 + half)
        ax.set_axis_off()
        ax.set_title(_title(tower), fontsize=SMALL, fontweight="normal")
    _key(fig)
    return fig


def _title(tower) -> str:
    return (
        f"{tower.name}: {tower.depth} layers deep\n"
        f"{short(tower.params)} params, {short(tower.macs)} MACs"
    )


def _tower(ax, tower, most: tuple[int, int], half: float) -> None:
    places = [i + 0.5 for i in range(len(tower.levels))]
    params = [level.params / most[0] for level in tower.levels]
    macs = [level.macs / most[1] for level in tower.levels]
    edge = {"height": BAR, "linewidth": 0.3}
    ax.barh(places, [-v for v in params], left=-half, color=ORANGE, edgecolor=ORANGE, **edge)
    ax.barh(places, macs, left=half, color=BLUE, edgecolor=BLUE, **edge)
    for place, level in zip(places, tower.levels, strict=True):
        _layers(ax, level.kinds, place)
    _grids(ax, tower, half)
    _largest(ax, tower, params, -half, "params")
    _largest(ax, tower, macs, half, "macs")
    ax.text(0, -0.25, f"input {_side(tower)}", ha="center", va="top", fontsize=7)


def _side(tower) -> str:
    return f"{tower.input[0]}x{tower.input[1]}"


def _layers(ax, kinds: tuple[str, ...], place: float) -> None:
    from matplotlib.patches import Rectangle

    for i, kind in enumerate(kinds):
        middle = LANE * (i - (len(kinds) - 1) / 2)
        corner = (middle - LAYER / 2, place - BAR / 2)
        ax.add_patch(Rectangle(corner, LAYER, BAR, facecolor=COLORS.get(kind, RED), linewidth=0))


def _grids(ax, tower, half: float) -> None:
    """The side of the grid, at the first level that has it, where no bar is in the way."""
    before = 0
    for i, level in enumerate(tower.levels):
        if level.grid != before and level.grid > 1:
            ax.text(-half - 0.03, i + 0.5, str(level.grid), ha="right", va="center", fontsize=7)
        before = level.grid


def _largest(ax, tower, shares, start: float, key: str) -> None:
    """The value of the longest bar, where it is long enough to be seen."""
    place = max(range(len(shares)), key=shares.__getitem__)
    value = getattr(tower.levels[place], key)
    sign = 1 if start > 0 else -1
    long = shares[place] > 0.6
    ax.text(
        sign * (0.97 + abs(start)) if long else start + sign * (shares[place] + 0.03),
        place + 0.5,
        short(value),
        ha="right" if long is (sign > 0) else "left",
        va="center",
        fontsize=7,
        color="white" if long else "#333333",
        fontweight="bold" if long else "normal",
    )


def _key(fig) -> None:
    """What the colors are."""
    from matplotlib.patches import Patch

    words = {
        "params of the level": ORANGE,
        "its MACs": BLUE,
        "convolution": COLORS["conv"],
        "linear layer": COLORS["linear"],
        "pool": RED,
    }
    patches = [Patch(facecolor=color, label=word) for word, color in words.items()]
    fig.legend(handles=patches, loc="outside lower center", ncols=len(words), fontsize=SMALL)
