"""Gradients by convolution: the probe of auxiliary classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING, Any

from .axes import log_axes, small
from .figures import empty_figure, entitle
from .lettering import POINTS, SMALL, text_width, wrapped
from .looks import Look, PLAIN
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.aux import Probe
    from ...analysis.aux.training import Gradients

FAR = 10  # times below all values, from where on the threshold is said and not drawn
MARGIN = 1.25  # room above and below the lines, as a factor
LEVEL = 1.5  # a fall under which the gradient is called level
PANEL = 85  # points that a panel of another setting takes at least
_PANEL_HEIGHT = 1.55  # inches


def gradients(result: Probe, look: Look = PLAIN) -> Figure:
    """Mean |gradient| by convolution with and without heads, over the seeds; its course over the
    iterations; and the same network in the settings beside it."""
    columns = min(len(result.beside), int(look.room(0.9) / PANEL)) or 1
    lines = -(-len(result.beside) // columns)
    first, rest = (5.0 if look.narrow else 2.9), lines * _PANEL_HEIGHT + 0.3
    fig = empty_figure(look, first + (rest if lines else 0))
    parts: Any = fig.subfigures(2, 1, height_ratios=(first, rest)) if lines else (fig,)
    _main(parts[0], result, look)
    if lines:
        _others(parts[1], result, look, lines, columns)
    heading = f"{result.model}, {result.setting}: mean gradient of the weights {_verdict(result)}"
    entitle(fig, look, heading)
    return fig


def _main(part: Any, result: Probe, look: Look) -> None:
    """By convolution, and over the iterations beside it, or below it on a narrow page."""
    if look.narrow:
        wide, narrow = part.subplots(2, 1, height_ratios=(1.4, 1))
    else:
        wide, narrow = part.subplots(1, 2, width_ratios=(1.75, 1), sharey=True)
    _profile(wide, result, look.theme)
    _courses(narrow, result, look)
    if look.narrow:
        _decimal_ticks(narrow)


def _others(part: Any, result: Probe, look: Look, rows: int, columns: int) -> None:
    """A panel a setting."""
    panels = part.subplots(rows, columns, sharey=True, squeeze=False)
    for ax in list(panels.flat)[len(result.beside) :]:
        ax.remove()
    for ax, other in zip(panels.flat, result.beside, strict=False):
        _beside(ax, other, result, look, columns)
    for row in panels:
        row[0].set_ylabel("mean |gradient|")
    said = f"convolutions from the input (left) to the loss; grey: {result.setting}"
    part.supxlabel("\n".join(wrapped(said, look.room(0.9))), fontsize=SMALL)


def _profile(ax: Axes, result: Probe, theme: Theme) -> None:
    networks = [("without heads", result.without, theme.macs, "o")]
    if result.with_heads:
        networks.append(("with heads", result.with_heads, theme.params, "s"))
    for word, found, color, marker in networks:
        _line(ax, found, color, marker, word)
    _decimal_ticks(ax)
    layers = result.without.layers
    ax.set_xticks(range(len(layers)), [layer.name for layer in layers], rotation=90)
    ax.set_ylabel("mean |gradient| of the weights")
    ax.set_title("Convolution by convolution")
    _threshold(ax, result, theme)
    _published(ax, result, theme)
    low, high = ax.get_ylim()
    ax.set_ylim(low / MARGIN, high * MARGIN**3)
    legend = ax.legend(loc="upper left", ncols=2, frameon=True, edgecolor="none", borderpad=0)
    legend.get_frame().set(facecolor=theme.paper, alpha=1)  # over the dotted line


def _decimal_ticks(ax: Axes) -> None:
    """A logarithmic axis with ticks at 1, 2 and 5, for a range of about a decade."""
    from matplotlib.ticker import LogLocator

    log_axes(ax, "y")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def _line(ax: Axes, found: Gradients, color: str, marker: str, word: str) -> None:
    """The mean of the seeds as a line, their spread as a band."""
    places = range(len(found.layers))
    low = [min(layer.means) for layer in found.layers]
    high = [max(layer.means) for layer in found.layers]
    ax.fill_between(places, low, high, color=color, alpha=0.25, linewidth=0)
    means = [layer.mean for layer in found.layers]
    ax.plot(places, means, color=color, marker=marker, label=word)


def _threshold(ax: Axes, result: Probe, theme: Theme) -> None:
    """The rule's threshold as a line, or in words where it is far below everything."""
    lowest, threshold = result.without.lowest.mean, result.threshold
    if lowest > FAR * threshold:
        said = f"the rule's {small(threshold)} is {lowest / threshold:,.0f} times below the lowest"
        words = ax.text(0.02, 0.02, said, transform=ax.transAxes, color=theme.worse, fontsize=SMALL)
        words.set_bbox({"facecolor": theme.paper, "edgecolor": "none", "pad": 1})
        return
    ax.axhline(threshold, color=theme.worse, linestyle="--", linewidth=1)
    ax.annotate(
        f"the rule's threshold, {small(threshold)}",
        (len(result.without.layers) - 1, threshold),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        color=theme.worse,
        fontsize=SMALL,
    )


def _published(ax: Axes, result: Probe, theme: Theme) -> None:
    """Where the published network has its head."""
    names = [layer.name for layer in result.without.layers]
    if result.head_after not in names:
        return
    place = names.index(result.head_after)
    ax.axvline(place, color=theme.muted, linestyle=":", linewidth=1)
    ax.annotate(
        f"the authors' head:\nafter {result.head_after}",
        (place, 0.74),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        color=theme.ink,
        fontsize=SMALL,
    )


def _courses(ax: Axes, result: Probe, look: Look) -> None:
    """A line a convolution over the iterations, from light at the input to dark at the loss."""
    from matplotlib.colors import LinearSegmentedColormap

    theme = look.theme
    shades = LinearSegmentedColormap.from_list("depth", (theme.faint, theme.macs))
    layers = result.without.layers
    times = range(1, result.protocol.iterations + 1)
    for i, layer in enumerate(layers):
        shade = shades(0.3 + 0.7 * i / max(1, len(layers) - 1))
        marker = "o" if len(times) == 1 else None
        ax.plot(times, layer.course, color=shade, linewidth=1.1, marker=marker)
    named = {layer.name: layer for layer in (layers[0], layers[-1], result.without.lowest)}
    _name_ends(ax, [(layer.name, layer.course[-1]) for layer in named.values()], times, look)
    ax.locator_params(axis="x", integer=True, nbins=5)
    ax.set_xlabel("iteration")
    ax.set_title("Iteration by iteration")


def _name_ends(ax: Axes, ends: Sequence[tuple[str, float]], times: range, look: Look) -> None:
    """Names at the ends of lines, the first of those that would be over one another."""
    points = look.room(0.8 if look.narrow else 0.27)  # about what the panel takes
    share = (max(text_width(name) for name, _ in ends) + 8) / points
    span = max(times[-1] - times[0], 1)
    ax.set_xlim(times[0] - 0.05 * span, times[-1] + span * share / (1 - share))
    low, high = (log(value) for value in ax.get_ylim())
    a_line = SMALL * 1.3 * (high - low) / (ax.get_window_extent().height / ax.figure.dpi * POINTS)
    taken: list[float] = []
    for name, value in ends:
        if all(abs(log(value) - other) > a_line for other in taken):
            taken.append(log(value))
            ax.annotate(
                name,
                (times[-1], value),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
            )


def _beside(ax: Axes, other: Probe, result: Probe, look: Look, columns: int) -> None:
    """Another setting over the one that the chart is about, in grey."""
    theme = look.theme
    count = len(other.without.layers)
    own = result.without.layers
    stretched = [i * (count - 1) / max(1, len(own) - 1) for i in range(len(own))]
    ax.plot(stretched, [layer.mean for layer in own], color=theme.muted, linewidth=0.9, alpha=0.8)
    _line(ax, other.without, theme.macs, "o", other.setting)
    log_axes(ax, "y")
    lowest = other.without.lowest
    ax.plot(
        [other.without.layers.index(lowest)],
        [lowest.mean],
        marker="o",
        markersize=7,
        markerfacecolor="none",
        markeredgecolor=theme.worse,
    )
    if lowest.mean < 1e3 * other.threshold:
        ax.axhline(other.threshold, color=theme.worse, linestyle="--", linewidth=1)
    lines = [
        line
        for words in (other.setting, _verdict(other))
        for line in wrapped(words, look.room(0.85) / columns)
    ]
    ax.set_title("\n".join(lines), fontsize=SMALL, fontweight="normal")
    ax.set_xticks([0, count - 1], ["1", str(count)])


def _verdict(result: Probe) -> str:
    """How far the mean gradient falls from the loss back to its smallest."""
    fall, lowest = result.without.fall, result.without.lowest
    if fall < LEVEL:
        return "does not fall"
    return f"falls {f'{fall:.1f}' if fall < 10 else f'{fall:,.0f}'}x to {_brief(lowest.name)}"


def _brief(name: str) -> str:
    """A path without the numbers of modules in it."""
    return name.partition(".")[0]
