"""Cost over an axis of a sweep."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...cost import short
from ...tables import display_name
from ..shorten import shorten_to
from .axes import spell_ticks
from .figures import entitle, figure, legend_below
from .lettering import text_width
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.sweep import Sweep

_STYLES = (("o", "-"), ("s", "--"), ("^", "-."), ("D", ":"), ("v", "-"))
_ROOM = 1.06  # times the largest value, at the end of a scale
_INTERVALS = {"ms": ("low", "high"), "predicted": ("predicted low", "predicted high")}
Lines = dict[str, list[tuple[float, dict[str, Any]]]]  # (place on the axis, figures) of each line


def sweep(result: Sweep, look: Look = PLAIN) -> Figure:
    """MACs, memory and, where measured or predicted, time over the first axis that varies;
    a line for each of the others."""
    axis, lines = _lines(result)
    panels: list[tuple[str, str, Callable[[float], str]]] = [
        ("macs", "MACs (multiply-adds)", short),
        ("memory", "peak memory (bytes, estimated)", short),
    ]
    if any(r.get("ms") is not None for found in lines.values() for _, r in found):
        panels.append(("ms", "time (ms, measured)", lambda v: f"{v:g}"))
    for field, title in (("predicted", "time (ms, predicted)"), ("least", "time (ms, at least)")):
        if any(field in r for found in lines.values() for _, r in found):
            panels.append((field, title, lambda v: f"{v:g}"))
    rows, columns = (len(panels), 1) if look.narrow else (1, len(panels))
    fig, axes = figure(look, 2.0 * rows + 0.4, rows, columns, squeeze=False)
    for ax, (field, title, spell) in zip(axes.flat, panels, strict=True):
        _draw(ax, lines, field, look)
        spell_ticks(ax.yaxis, spell)
        ax.locator_params(axis="x", nbins=5)
        ax.set_xlabel(axis.removeprefix("arg."))
        ax.set_title(title)
    if len(lines) > 1:
        handles, labels = axes.flat[0].get_legend_handles_labels()
        legend_below(fig, handles, labels, look)
    drawn = (o for o in result.outcomes if o.result)
    models = sorted({display_name(str(o.configuration["model"])) for o in drawn})
    entitle(fig, look, f"{', '.join(models)}: cost over {axis.removeprefix('arg.')}")
    return fig


def _lines(result: Sweep) -> tuple[str, Lines]:
    """The axis that is drawn from left to right, and the lines over it by their names."""
    axis, *others = sorted(result.axes, key=lambda a: a == "model")
    lines: Lines = {}
    for o in result.outcomes:
        if o.result and isinstance(o.configuration[axis], (int, float)):
            parts = (_setting(a, o.configuration[a]) for a in others)
            lines.setdefault(", ".join(parts), []).append((o.configuration[axis], o.result))
    return axis, lines


def _setting(axis: str, value: Any) -> str:
    """A value of an axis in the name of a line: a model, or "batch 8"."""
    name = display_name(value) if isinstance(value, str) else str(value)
    return name if axis == "model" else f"{axis.removeprefix('arg.')} {name}"


def _draw(ax: Axes, lines: Lines, field: str, look: Look) -> None:
    styles = zip(itertools.cycle(look.theme.series), itertools.cycle(_STYLES), strict=False)
    names = shorten_to(list(lines), lambda text: text_width(text) < look.room(0.85))
    for name, found, (color, (marker, line)) in zip(names, lines.values(), styles, strict=False):
        points = sorted((x, r) for x, r in found if r.get(field) is not None)
        xs, ys = [x for x, _ in points], [r[field] for _, r in points]
        ax.plot(xs, ys, color=color, marker=marker, linestyle=line, label=name)
        if field in _INTERVALS:
            low, high = ([r[name] for _, r in points] for name in _INTERVALS[field])
            ax.fill_between(xs, low, high, color=color, alpha=0.25, linewidth=0)
    drawn = [(x, r) for found in lines.values() for x, r in found if r.get(field) is not None]
    _, high = _INTERVALS.get(field, (field, field))
    ax.set_ylim(0, _ROOM * max(r[high] for _, r in drawn))
    ax.set_xlim(0, _ROOM * max(x for x, _ in drawn))
