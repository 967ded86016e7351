"""Memory while a model runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...tables import display_name
from ..shorten import shorten_to
from .bars import ROW
from .figures import entitle, figure
from .lettering import POINTS, text_width
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.memory import Memory
    from ...analysis.memory.result import Stage

_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("bytes", 1))
_NAMED = 0.5  # of the stages that have a name at least, or the modules that they are in are stages


def memory(result: Memory, look: Look = PLAIN) -> Figure:
    """Bytes alive beyond params, buffers and inputs while each operation runs, under the names of
    the modules that run."""
    from matplotlib.ticker import MaxNLocator

    theme = look.theme
    fig, ax = figure(look, 3.0)
    unit, size = next((u, s) for u, s in _UNITS if result.peak >= s or s == 1)
    alive = [v / size for v in result.live]
    edges = [i - 0.5 for i in range(len(alive) + 1)]
    ax.stairs(alive, edges, fill=True, color=theme.macs, alpha=0.35)
    ax.stairs(alive, edges, color=theme.macs, linewidth=0.8)
    place = display_name(result.place or "the model")
    words = f"peak {result.peak / size:.3g} {unit} in "
    room = look.room(0.8) - text_width(words)
    (place,) = shorten_to([place], lambda text: text_width(text) < room)
    ax.plot([result.at], [result.peak / size], "o", color=theme.worse, label=words + place)
    if result.measured is not None:
        measured = f"measured peak {result.measured / size:.3g} {unit}"
        ax.axhline(
            result.measured / size, color=theme.worse, linestyle="--", linewidth=0.8, label=measured
        )
    ax.set_ylim(0, max(result.peak, result.measured or 0) / size * 1.05 or 1)
    ax.set_xlim(-0.5, max(len(alive), 1) - 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_xlabel("operation, in order of execution")
    ax.set_ylabel(f"alive ({unit})")
    fig.legend(loc="outside lower left", ncols=1 if look.narrow else 2)
    trained = ", training step" if result.trained else ""
    entitle(
        fig,
        look,
        f"{display_name(result.model)}: memory beyond params, buffers and inputs, "
        f"by liveness{trained}",
    )
    _name_stages(fig, ax, result.stages, look)
    return fig


def _name_stages(fig: Figure, ax: Axes, stages: tuple[Stage, ...], look: Look) -> None:
    """Lines between the stages, and the names of those that have room for one along the top."""
    fig.draw_without_rendering()
    points = ax.get_window_extent().width * POINTS / fig.dpi
    an_operation = points / max(ax.get_xlim()[1] - ax.get_xlim()[0], 1)
    named = _with_room(stages, an_operation)
    while len(named) < len(stages) * _NAMED:
        outer = _outer(stages)
        if len(outer) == len(stages):
            break
        stages, named = outer, _with_room(outer, an_operation)
    names = shorten_to([s.name for s in named], lambda text: text_width(text) < 75)
    top = ax.secondary_xaxis("top")
    top.set_xticks([s.middle for s in named], names, rotation=90)
    top.tick_params(length=2)
    for span in stages[1:]:
        ax.axvline(span.first - 0.5, color=look.theme.faint, linewidth=0.4, zorder=0)


def _with_room(stages: Sequence[Stage], an_operation: float) -> list[Stage]:
    """The stages that have room for a name, the longest first; `an_operation`: how many points of
    the axis it takes."""
    named: list[Stage] = []
    for span in sorted(stages, key=lambda s: s.first - s.last):
        away = (abs(span.middle - other.middle) * an_operation for other in named)
        if all(points > ROW * POINTS * 0.85 for points in away):
            named.append(span)
    return named


def _outer(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages with those of the longest paths as the modules that they are in."""
    deepest = max(s.name.count(".") for s in stages)
    found: list[Stage] = []
    for span in stages:
        name = (
            span.name.rpartition(".")[0]
            if deepest and span.name.count(".") == deepest
            else span.name
        )
        if found and found[-1].name == name:
            found[-1] = replace(found[-1], last=span.last)
        else:
            found.append(replace(span, name=name))
    return tuple(found)
