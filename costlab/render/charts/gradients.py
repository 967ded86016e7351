"""Gradients by convolution: the probe of auxiliary classifiers."""

from __future__ import annotations

from typing import Any

from .axes import log_axes
from .style import BLUE, GREY, ORANGE, RED

SMALL = 7.5  # points
WIDTH = 6.7  # inches: two columns of a paper
FAR = 10  # times below all values, from where on the threshold is said and not drawn
MARGIN = 1.25  # room above and below the lines, as a factor
LEVEL = 1.5  # a fall under which the gradient is called level
CURVES = ("#08306B", "#6BAED6")  # from the loss to the input


def gradients(result):
    """Mean |gradient| by convolution with and without heads, over the seeds; its course over the
    iterations; and the same network in the settings beside it."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 5.3 if result.beside else 3.0), layout="constrained")
    rows: Any = fig.subfigures(2, 1, height_ratios=(1.35, 1)) if result.beside else (fig,)
    wide, narrow = rows[0].subplots(1, 2, width_ratios=(1.75, 1), sharey=True)
    _profile(wide, result)
    _courses(narrow, result)
    if result.beside:
        panels = rows[1].subplots(1, len(result.beside), sharey=True, squeeze=False)[0]
        for ax, other in zip(panels, result.beside, strict=True):
            _beside(ax, other, result)
        panels[0].set_ylabel("mean |gradient|", fontsize=SMALL)
        rows[1].supxlabel(
            "convolutions from the input (left) to the loss; grey: " + result.setting,
            fontsize=SMALL,
        )
    for ax in fig.axes:
        ax.tick_params(labelsize=SMALL)
    return fig


def _profile(ax, result):
    networks = [("without heads", result.without, BLUE, "o")]
    if result.with_heads:
        networks.append(("with heads", result.with_heads, ORANGE, "s"))
    for word, found, color, marker in networks:
        _line(ax, found, color, marker, word)
    _decimal_ticks(ax)
    layers = result.without.layers
    ax.set_xticks(range(len(layers)), [layer.name for layer in layers], rotation=40, ha="right")
    ax.set_ylabel("mean |gradient| of the weights", fontsize=SMALL)
    ax.set_title(f"{result.model}, {result.setting}: {_verdict(result)}", fontsize=9)
    _threshold(ax, result)
    _published(ax, result)
    low, high = ax.get_ylim()
    ax.set_ylim(low / MARGIN, high * MARGIN)
    ax.legend(loc="upper right", fontsize=SMALL)


def _decimal_ticks(ax):
    """A logarithmic axis with ticks at 1, 2 and 5, for a range of about a decade."""
    from matplotlib.ticker import LogLocator

    log_axes(ax, "y")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def _line(ax, found, color, marker, word):
    """The mean of the seeds as a line, their spread as a band."""
    places = range(len(found.layers))
    low = [min(layer.means) for layer in found.layers]
    high = [max(layer.means) for layer in found.layers]
    ax.fill_between(places, low, high, color=color, alpha=0.25, linewidth=0)
    means = [layer.mean for layer in found.layers]
    ax.plot(places, means, color=color, marker=marker, markersize=3.5, linewidth=1.3, label=word)


def _threshold(ax, result):
    """The rule's threshold as a line, or in words where it is far below everything."""
    lowest, threshold = result.without.lowest.mean, result.threshold
    if lowest > FAR * threshold:
        said = f"the rule's {threshold:g} is {lowest / threshold:,.0f} times below the lowest"
        ax.text(0.02, 0.02, said, transform=ax.transAxes, color=RED, fontsize=SMALL)
        return
    ax.axhline(threshold, color=RED, linestyle="--", linewidth=1)
    ax.annotate(
        f"the rule's threshold, {threshold:g}",
        (len(result.without.layers) - 1, threshold),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        color=RED,
        fontsize=SMALL,
    )


def _published(ax, result):
    """Where the published network has its head."""
    names = [layer.name for layer in result.without.layers]
    if result.head_after not in names:
        return
    place = names.index(result.head_after)
    ax.axvline(place, color=GREY, linestyle=":", linewidth=1)
    ax.annotate(
        f"the authors' head:\nafter {result.head_after}",
        (place, 0.74),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        color="#333333",
        fontsize=SMALL,
    )


def _courses(ax, result):
    """A line a convolution over the iterations, from light at the input to dark at the loss."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("depth", CURVES[::-1])
    layers = result.without.layers
    times = range(1, result.protocol.iterations + 1)
    for i, layer in enumerate(layers):
        shade = shades(i / max(1, len(layers) - 1))
        marker = "o" if len(times) == 1 else None
        ax.plot(times, layer.course, color=shade, linewidth=1.1, marker=marker, markersize=3)
    named = {layer.name: layer for layer in (layers[0], result.without.lowest, layers[-1])}
    for layer in named.values():
        ax.annotate(
            layer.name,
            (times[-1], layer.course[-1]),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
        )
    ax.set_xlim(times[0] - 0.2, times[-1] * 1.28 + 0.5)
    ax.locator_params(axis="x", integer=True, nbins=5)
    ax.set_xlabel("iteration", fontsize=SMALL)
    ax.set_title("Iteration by iteration", fontsize=9)


def _beside(ax, other, result):
    """Another setting over the one that the chart is about, in grey."""
    count = len(other.without.layers)
    own = result.without.layers
    stretched = [i * (count - 1) / max(1, len(own) - 1) for i in range(len(own))]
    ax.plot(stretched, [layer.mean for layer in own], color=GREY, linewidth=0.9, alpha=0.8)
    _line(ax, other.without, BLUE, "o", other.setting)
    log_axes(ax, "y")
    lowest = other.without.lowest
    ax.plot(
        [other.without.layers.index(lowest)],
        [lowest.mean],
        marker="o",
        markersize=7,
        markerfacecolor="none",
        markeredgecolor=RED,
    )
    if lowest.mean < 1e3 * other.threshold:
        ax.axhline(other.threshold, color=RED, linestyle="--", linewidth=1)
    ax.set_title(f"{other.setting}\n{_verdict(other)}", fontsize=7, fontweight="normal")
    ax.set_xticks([0, count - 1], ["1", str(count)])


def _verdict(result) -> str:
    """How far the mean gradient falls from the loss back to its smallest."""
    fall, lowest = result.without.fall, result.without.lowest
    if fall < LEVEL:
        return "does not fall"
    return f"falls {f'{fall:.1f}' if fall < 10 else f'{fall:,.0f}'}x to {_brief(lowest.name)}"


def _brief(name: str) -> str:
    """A path without the numbers of modules in it."""
    return name.partition(".")[0]
