"""Charts (matplotlib): a result in, a figure out. One house style: colour-blind safe (Okabe and Ito), told apart in grey by marker and
hatch, direct labels, axes from zero where lengths are compared, units. No arithmetic on costs but units and shares."""

from __future__ import annotations

import io
import itertools
from collections import Counter

from ..cost import short

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7F7F7F"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "costlab",
    "pdf.fonttype": 42,
    "figure.dpi": 100,
    "axes.axisbelow": True,
    "axes.grid": False,
    "legend.frameon": False,
}


def milliseconds(seconds: float) -> str:
    """0.123, 1.23, 12.3."""
    ms = 1e3 * seconds
    return f"{ms:.3g}" if ms < 1000 else f"{ms:,.0f}"


def _figure(width, height, columns=1, **kw):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(1, columns, **kw)


def _brief(name: str, head: float = 1 / 3, width: int = 48) -> str:
    """A long module path without its middle: its end says most."""
    first = round(head * (width - 3))
    return name if len(name) <= width else f"{name[:first]}...{name[first + 3 - width :]}"


def _briefs(names) -> list[str]:
    """Long names cut where they still differ as much as they did."""
    names = list(names)
    for head in (1 / 3, 2 / 3, 0.1):
        short_ = [_brief(n, head) for n in names]
        if len(set(short_)) == len(set(names)):
            return short_
    return [n if len(n) <= 100 else _brief(n, 1 / 2, 100) for n in names]


def _log(ax, directions):
    """Logarithmic axes, "x", "y" or "xy", with plain numbers: 1K, 0.01, 1e-7."""
    for d in directions:
        getattr(ax, f"set_{d}scale")("log")
        axis = getattr(ax, f"{d}axis")
        axis.set_major_formatter(lambda v, _: short(v) if v >= 1 else f"{v:g}")
        axis.set_minor_formatter("")


def _bars(ax, names, values, color, label=short, hatch=None):
    places = range(len(names))
    bars = ax.barh(
        places, values, color=color, height=0.72, hatch=hatch, edgecolor="white", linewidth=0
    )
    ax.set_yticks(places, _briefs(names))
    ax.invert_yaxis()
    ax.set_xlim(min(0, *values) * 1.25, max(*values, 1e-9) * 1.22)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(lambda v, _: label(v))
    ax.locator_params(axis="x", nbins=4)
    for place, v in zip(places, values):
        ax.annotate(
            label(v),
            (max(v, 0), place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    return bars


def stages(profile):
    """Params, MACs and activations by stage, side by side and aligned."""
    n = len(profile.steps)
    panels = [
        ("params", ORANGE, "params", short),
        ("MACs (multiply-adds)", BLUE, "macs", short),
        ("activations (elements)", GREEN, "activations", short),
    ]
    if profile.trained:
        panels.insert(2, ("backward MACs", GREY, "backward", short))
    if profile.measured:
        panels.append(("time (ms, measured)", RED, "seconds", milliseconds))
    fig, axes = _figure(
        9.5 if len(panels) == 3 else 11, max(2.2, 0.26 * n + 1), len(panels), sharey=True
    )
    names = [s.name for s in profile.steps]
    for ax, (title, color, field, label) in zip(axes, panels):
        # what stands for many rows has a number and no bar: it would dwarf the single ones
        bars = _bars(
            ax,
            names,
            [(getattr(s, field) or 0) if s.id else 0 for s in profile.steps],
            color,
            label,
        )
        for text, step in zip(ax.texts, profile.steps):
            if not step.id:
                text.set_text(f"{label(getattr(step, field) or 0)} together")
        for bar, step in zip(bars, profile.steps):
            bar.set_gid(f"bar:{field}:{step.id}")
        ax.set_title(title)
    axes[0].set_ylim(n - 0.4, -0.6)
    fig.suptitle(
        f"{profile.model}: cost by stage, from input to output",
        x=0.01,
        ha="left",
        fontweight="bold",
    )
    return fig


def cumulative(profile):
    """The share of all params and MACs up to each stage."""
    fig, ax = _figure(9, 4)
    n, last, lines = len(profile.steps), profile.steps[-1], []
    for field, whole, color, marker, word in (
        ("macs_so_far", last.macs_so_far, BLUE, "o", "MACs"),
        ("params_so_far", last.params_so_far, ORANGE, "s", "params"),
    ):
        if whole:
            shares = [100 * getattr(s, field) / whole for s in profile.steps]
            text = f"{word} (all: {short(whole)})"
            ax.plot(range(n), shares, color=color, marker=marker, markersize=4, label=text)
            lines.append((shares, text, color))
    middle = range(round(0.35 * n), max(round(0.65 * n), 1))
    gap, at = (
        max(((abs(lines[0][0][i] - lines[1][0][i]), i) for i in middle), default=(0, 0))
        if len(lines) == 2
        else (0, 0)
    )
    if (
        gap > 12
    ):  # far enough apart to be labelled where they are: the upper one above its line, the lower one below
        for upper, (shares, text, color) in zip(
            (True, False), sorted(lines, key=lambda line: -line[0][at])
        ):
            up = upper or shares[at] < 14  # no room below
            ax.annotate(
                text,
                (at, shares[at]),
                xytext=(-8 if up else 8, 5 if up else -5),
                textcoords="offset points",
                color=color,
                fontweight="bold",
                ha="right" if up else "left",
                va="bottom" if up else "top",
            )
    elif lines:
        ax.legend(loc="best")
    ax.set_xticks(
        range(n), _briefs(s.name for s in profile.steps), rotation=45, ha="right", fontsize=8
    )
    ax.set_ylim(0, 104)
    ax.yaxis.set_major_formatter(lambda v, _: f"{v:.0f}%")
    ax.grid(axis="y", color="#DDDDDD")
    ax.set_title(f"{profile.model}: share of all params and MACs up to each stage")
    return fig


def savings(rules, curve):
    """Savings by rewrite, and the break-even curve of stacked 3x3."""
    fig, (left, right) = _figure(10, 4.6, 2, width_ratios=(1.15, 1))
    _bars(
        left,
        [r.name for r in rules.rules],
        [100 * r.saving for r in rules.rules],
        BLUE,
        lambda v: f"{v:.1f}%",
    )
    worst = min(0, *(100 * r.saving for r in rules.rules))
    shown = max(worst, -150)  # what costs many times more is cut, with its number
    for bar, text, r in zip(left.patches, left.texts, rules.rules):
        if r.saving < 0:
            bar.set(
                width=max(100 * r.saving, shown),
                facecolor=ORANGE,
                hatch="//",
                edgecolor="white",
                linewidth=0.5,
            )
            text.set_text(f"{100 * -r.saving:,.1f}% more")
    left.set_xlim(1.15 * shown if shown else 0, 118)
    left.axvline(0, color="black", linewidth=0.8)
    step = 25 if shown > -60 else 50
    ticks = [t for t in range(-150, 101, step) if t >= shown]
    left.set_xticks(ticks, [f"{t}%" if t else "0" for t in ticks])
    left.set_title("MACs saved at these widths")
    right.plot(curve.mids, curve.ratios, color=BLUE)
    right.axhline(
        1, color=GREY, linewidth=1, linestyle="--", label=f"{curve.kernel}x{curve.kernel} itself"
    )
    right.plot(
        [curve.even], [1], "o", color=RED, zorder=5, label=f"break-even at c_mid = {curve.even:.1f}"
    )
    marks = [
        (curve.c_in, "c_in = c_out" if curve.c_in == curve.c_out else "c_in", "s"),
        (curve.c_out, "c_out", "^"),
    ]
    for m, word, marker in marks[: 1 if curve.c_in == curve.c_out else 2]:
        saved = 100 * (1 - curve.ratios[m - 1])
        right.plot(
            [m],
            [1 - saved / 100],
            marker,
            color=BLUE,
            markersize=7,
            label=f"c_mid = {word}: {abs(saved):.0f}% {'saved' if saved >= 0 else 'more'}",
        )
    right.legend(loc="upper left")
    right.set_ylim(0)
    right.set_xlim(0)
    right.set_xlabel("middle width c_mid (channels)")
    right.set_ylabel(f"MACs / MACs of the {curve.kernel}x{curve.kernel}")
    right.set_title(
        f"{curve.kernel}x{curve.kernel} as stacked 3x3, {curve.c_in} to {curve.c_out} channels"
    )
    return fig


def grid(reduction):
    """MACs of each scheme; a representational bottleneck is hatched and said so."""
    fig, ax = _figure(9, 0.62 * len(reduction.schemes) + 1)
    first = reduction.schemes[0].macs
    bars = _bars(ax, [s.name for s in reduction.schemes], [s.macs for s in reduction.schemes], BLUE)
    for bar, text, s in zip(bars, ax.texts, reduction.schemes):
        if s.bottleneck:
            bar.set(facecolor=ORANGE, hatch="//", edgecolor="white", linewidth=0.5)
        text.set_text(
            f"{short(s.macs)} ({s.macs / first:.2f}x)"
            + (f", representational bottleneck: {s.narrowest:,} elements" if s.bottleneck else "")
        )
    ax.set_xlim(0, max(s.macs for s in reduction.schemes) * 1.3)
    c, d, _ = reduction.input
    out = reduction.schemes[0].out
    ax.set_title(f"grid reduction {d}x{d}x{c} to {out[1]}x{out[2]}x{out[0]}: MACs (multiply-adds)")
    return fig


def _pairs(ax, names, values, words, colors, label=short):
    """Two bars a name, the second hatched so that grey tells them apart; the pair is named once, on its longest bars."""
    places = range(len(names))
    for side, (word, color, off) in enumerate(zip(words, colors, (-0.2, 0.2))):
        found = [v[side] for v in values]
        ax.barh(
            [p + off for p in places],
            found,
            color=color,
            height=0.38,
            hatch="//" if side else None,
            edgecolor="white",
            linewidth=0.5,
            label=word,
        )
        for p, v in zip(places, found):
            ax.annotate(
                label(v),
                (v, p + off),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.set_xlim(0, max(max(v) for v in values) * 1.22 or 1)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(lambda v, _: label(v))
    ax.locator_params(axis="x", nbins=4)


def bottleneck(result):
    """MACs of naive and reduced modules, side by side, and how many times fewer."""
    modules = [p for p in result.pairs if p.input[1]]
    fig, ax = _figure(9, 0.55 * len(modules) + 1.2)
    _pairs(
        ax,
        [f"{p.name}: {p.macs[0] / p.macs[1]:.2f}x" for p in modules],
        [p.macs for p in modules],
        ("naive, Figure 2(a)", "reduced, Figure 2(b)"),
        (ORANGE, BLUE),
    )
    ax.legend(loc="lower right")
    ax.set_title("Inception modules with and without 1x1 reductions: MACs (multiply-adds)")
    return fig


def head(result):
    """Params and MACs of each head."""
    fig, axes = _figure(10, 0.5 * len(result.heads) + 1, 2, sharey=True)
    for ax, title, color, field in zip(
        axes, ("params", "MACs (multiply-adds)"), (ORANGE, BLUE), ("params", "macs")
    ):
        _bars(ax, [h.name for h in result.heads], [getattr(h, field) for h in result.heads], color)
        ax.set_title(title)
    axes[0].set_ylim(len(result.heads) - 0.4, -0.6)
    c, side, _ = result.input
    fig.suptitle(
        f"classifier heads on {side}x{side}x{c}, {result.classes} classes",
        x=0.01,
        ha="left",
        fontweight="bold",
    )
    return fig


def aux(result):
    """Params and training MACs of each network, and what its auxiliary classifiers add."""
    fig, axes = _figure(10, 0.8 * len(result.costs) + 1.2, 2, sharey=True)
    names = [c.model for c in result.costs]
    sums = [
        [c.params for c in result.costs],
        [tuple(f + b for f, b in zip(c.forward, c.backward)) for c in result.costs],
    ]
    for ax, title, values in zip(
        axes, ("params in training", "MACs of a training step, one image"), sums
    ):
        places = range(len(names))
        ax.barh(places, [v[0] for v in values], color=BLUE, height=0.5, label="the network")
        ax.barh(
            places,
            [v[1] - v[0] for v in values],
            left=[v[0] for v in values],
            color=ORANGE,
            height=0.5,
            hatch="//",
            edgecolor="white",
            linewidth=0.5,
            label="its auxiliary classifiers",
        )
        for p, v in zip(places, values):
            ax.annotate(
                f"+{short(v[1] - v[0])} ({100 * (v[1] - v[0]) / v[0]:.1f}%)",
                (v[1], p),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        ax.set_yticks(places, names)
        ax.set_xlim(0, max(v[1] for v in values) * 1.4)
        ax.xaxis.set_major_formatter(lambda v, _: short(v))
        ax.locator_params(axis="x", nbins=4)
        ax.set_title(title)
    axes[0].invert_yaxis()
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return fig


def pareto(result):
    """MACs against published top-5 error, with the front."""
    fig, ax = _figure(8, 5)
    front = [p for p in result.points if p.front]
    ax.step(
        [p.macs for p in front],
        [p.top5 for p in front],
        where="post",
        color="#BBBBBB",
        linewidth=1,
        linestyle="--",
        zorder=0,
    )
    for p in result.points:
        ax.plot(
            [p.macs],
            [p.top5],
            "o" if p.front else "s",
            color=BLUE if p.front else ORANGE,
            markersize=6,
        )
    _log(ax, "x")
    ax.set_ylim(0, max(p.top5 for p in result.points) * 1.12)
    ax.set_xlim(min(p.macs for p in result.points) / 1.5, max(p.macs for p in result.points) * 2.2)
    _spread(fig, ax, [(p.macs, p.top5, p.name) for p in result.points])
    ax.set_xlabel("MACs (multiply-adds, from traces; log scale)")
    ax.set_ylabel("top-5 error, as published (%)")
    ax.set_title(
        "Cost against published error: circles and the dashed line are the Pareto front\n"
        "(errors as published, of different crops and scales; the settings are in the table)",
        fontsize=9,
    )
    return fig


def _crosses(a, b, boxes):
    """Whether the way from a to b goes through one of the boxes."""
    steps = [(a[0] + (b[0] - a[0]) * k / 20, a[1] + (b[1] - a[1]) * k / 20) for k in range(1, 20)]
    return any(box.contains(x, y) for box in boxes for x, y in steps)


def _near():
    """Places of a label around its point, in points: close ones first, then farther ones, which get a leader line."""
    for dx, dy, ha, va in (
        (5, 5, "left", "bottom"),
        (7, 0, "left", "center"),
        (0, 7, "center", "bottom"),
        (0, -7, "center", "top"),
        (-7, 0, "right", "center"),
        (6, -6, "left", "top"),
        (-6, 6, "right", "bottom"),
        (-6, -6, "right", "top"),
    ):
        yield dx, dy, ha, va, False
    for radius in (22, 36, 52, 70, 90):
        for dx, dy in ((1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0)):
            yield (
                radius * dx,
                radius * dy,
                "left" if dx > 0 else "right" if dx < 0 else "center",
                "bottom" if dy > 0 else "top" if dy < 0 else "center",
                True,
            )


def _spread(fig, ax, points):
    """Label points without overlap, those that find no room not at all: the first of several places around a point, within the axes, that touches no label and no point."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    FigureCanvasAgg(fig)
    fig.canvas.draw()
    renderer = fig.canvas.get_renderer()
    dots = [ax.transData.transform((x, y)) for x, y, _ in points]
    frame, taken = ax.get_window_extent(renderer), []
    for (x, y, name), (px, py) in zip(points, dots):
        for dx, dy, ha, va, far in _near():
            line = (
                {
                    "arrowprops": {
                        "arrowstyle": "-",
                        "color": "#999999",
                        "linewidth": 0.6,
                        "shrinkA": 0,
                        "shrinkB": 2,
                    }
                }
                if far
                else {}
            )
            label = ax.annotate(
                name,
                (x, y),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=ha,
                va=va,
                fontsize=8,
                **line,
            )
            label.update_positions(renderer)
            text = Text.get_window_extent(label, renderer).padded(1)  # without its line
            if (
                frame.x0 <= text.x0
                and text.x1 <= frame.x1
                and frame.y0 <= text.y0
                and text.y1 <= frame.y1
                and not (
                    far
                    and _crosses(
                        (px, py), ((text.x0 + text.x1) / 2, (text.y0 + text.y1) / 2), taken
                    )
                )
                and not any(text.overlaps(b) for b in taken)
                and not any(text.contains(*d) for d in dots if (d[0], d[1]) != (px, py))
            ):
                taken.append(text)
                break
            label.remove()


_STEPS = 36  # of a waterfall


def waterfall(change):
    """MACs from the base to the head, block by block; of very many blocks those that change most, the others together."""
    moved = [(s.name, s.macs[1] - s.macs[0]) for s in change.steps if s.macs[0] != s.macs[1]]
    most = sorted(range(len(moved)), key=lambda i: -abs(moved[i][1]))[:_STEPS]
    steps, rest = (
        [moved[i] for i in sorted(most)],
        [moved[i][1] for i in range(len(moved)) if i not in set(most)],
    )
    if rest:
        steps.append((f"{len(rest)} other blocks", sum(rest)))
    fig, ax = _figure(9, max(2.2, 0.3 * (len(steps) + 2) + 0.8))
    at, places, names = (
        change.macs[0],
        [],
        [f"{change.base} (base)", *_briefs(name for name, _ in steps), f"{change.head} (head)"],
    )
    bars = [(0, at, GREY, short(at))]
    for _, delta in steps:
        bars.append(
            (
                min(at, at + delta),
                abs(delta),
                GREEN if delta < 0 else RED,
                f"{'-' if delta < 0 else '+'}{short(abs(delta))}",
            )
        )
        at += delta
    bars.append((0, change.macs[1], GREY, short(change.macs[1])))
    for i, (left, width, color, text) in enumerate(bars):
        ax.barh(
            i,
            width,
            left=left,
            color=color,
            height=0.7,
            hatch="//" if color == RED else None,
            edgecolor="white",
            linewidth=0.5,
        )
        ax.annotate(
            text,
            (left + width, i),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
        places.append(i)
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.set_xlim(0, max(left + width for left, width, *_ in bars) * 1.15)
    ax.xaxis.set_major_formatter(lambda v, _: short(v))
    ax.set_title("MACs (multiply-adds) from base to head: green saves, hatched red adds")
    return fig


_BOUNDS = {"compute": (BLUE, "o"), "memory": (ORANGE, "s"), "launch": (RED, "^"), "": (GREY, "x")}


def roofline(result, after=None):
    """Where each block lies under the ceilings; with a second run, arrows from each block to the one of the same place there."""
    fig, ax = _figure(8.5, 5)
    places = [p for p in result.places if p.intensity and p.rate]
    later = {p.id: p for p in after.places if p.intensity and p.rate} if after else {}
    xs = [p.intensity for p in (*places, *later.values())] + [result.ridge]
    lo, hi = min(xs) / 3, max(xs) * 6
    ax.plot(
        [lo, result.ridge, hi],
        [lo * result.bandwidth / 1e9, result.peak / 1e9, result.peak / 1e9],
        color="black",
        linewidth=1.2,
    )
    ax.annotate(
        f"{result.peak / 1e9:,.0f} GFLOP/s",
        (hi, result.peak / 1e9),
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        fontsize=8,
    )
    ax.annotate(
        f"{result.bandwidth / 1e9:,.1f} GB/s",
        (lo, lo * result.bandwidth / 1e9),
        xytext=(10, 0),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=8,
    )
    _log(ax, "xy")
    longest = max((p.seconds for p in places), default=1.0)
    for bound, (color, marker) in _BOUNDS.items():
        found = [p for p in places if p.bound == bound]
        if found:
            ax.scatter(
                [p.intensity for p in found],
                [p.rate / 1e9 for p in found],
                s=[20 + 180 * p.seconds / longest for p in found],
                color=color,
                marker=marker,
                alpha=0.8,
                label=f"{bound}-bound" if bound else "no bound",
            )
    for p in places:
        q = later.get(p.id, p)
        if (q.intensity, q.rate) != (p.intensity, p.rate):
            ax.annotate(
                "",
                (q.intensity, q.rate / 1e9),
                (p.intensity, p.rate / 1e9),
                arrowprops={"arrowstyle": "->", "color": GREY},
            )
    ax.set_xlim(lo, hi)
    ax.set_ylim(
        min(p.rate for p in (*places, *later.values())) / 4e9 if places else 1,
        max(result.peak, *(p.rate for p in (*places, *later.values()))) / 1e9 * 3,
    )
    count = Counter(p.name for p in places)
    shown = sorted(places, key=lambda p: -p.seconds)[:12]
    words = _briefs(p.name if count[p.name] == 1 else f"{p.name} ({p.id})" for p in shown)
    _spread(fig, ax, [(p.intensity, p.rate / 1e9, word) for p, word in zip(shown, words)])
    ax.legend(loc="upper left")
    ax.set_xlabel("intensity (FLOPs a byte of tensors read and written)")
    ax.set_ylabel("reached (GFLOP/s)")
    ax.set_title(
        f"{result.model}: roofline, marks sized by time"
        + (f"; arrows to {after.model}" if after else "")
    )
    return fig


def memory(result):
    """Bytes alive beyond params, buffers and inputs while each operation runs."""
    fig, ax = _figure(9, 3.6)
    unit, size = next(
        (u, s)
        for u, s in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3), ("bytes", 1))
        if result.peak >= s or s == 1
    )
    mega = [v / size for v in result.live]
    ax.fill_between(range(len(mega)), mega, step="mid", color=BLUE, alpha=0.35, linewidth=0)
    ax.step(range(len(mega)), mega, where="mid", color=BLUE, linewidth=1)
    left = result.at < len(mega) / 2
    ax.annotate(
        f"peak {result.peak / size:,.1f} {unit} in {_brief(result.place or 'the model')}",
        (result.at, result.peak / size),
        xytext=(8 if left else -8, 6),
        textcoords="offset points",
        ha="left" if left else "right",
        fontsize=8,
    )
    ax.plot([result.at], [result.peak / size], "o", color=RED, markersize=5)
    if result.measured is not None:
        ax.axhline(result.measured / size, color=RED, linestyle="--", linewidth=1)
        ax.annotate(
            f"measured peak {result.measured / size:,.1f} {unit}",
            (len(mega) - 1, result.measured / size),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            color=RED,
            fontsize=8,
        )
    ax.set_ylim(0, max(result.peak, result.measured or 0) / size * 1.18 or 1)
    ax.set_xlim(0, max(1, len(mega) - 1))
    ax.set_xlabel("operation, in order of execution")
    ax.set_ylabel(f"alive ({unit})")
    ax.set_title(
        f"{result.model}: memory beyond params, buffers and inputs, by liveness"
        + (", training step" if result.trained else "")
    )
    return fig


_LINES = (
    (BLUE, "o", "-"),
    (ORANGE, "s", "--"),
    (GREEN, "^", "-."),
    (RED, "D", ":"),
    (GREY, "v", "-"),
)


def sweep(result):
    """MACs, memory and, where measured, time over the first axis that varies; a line for each of the others."""
    axis, *others = [a for a in result.axes if a != "model"] + [
        a for a in result.axes if a == "model"
    ]
    lines: dict[str, list] = {}
    for o in result.outcomes:
        if o.result and isinstance(o.configuration[axis], (int, float)):
            name = ", ".join(f"{a.removeprefix('arg.')} {o.configuration[a]}" for a in others)
            lines.setdefault(name, []).append((o.configuration[axis], o.result))
    panels = [
        ("macs", "MACs (multiply-adds)", short),
        ("memory", "peak memory (bytes, estimated)", short),
    ]
    if any(r.get("ms") is not None for found in lines.values() for _, r in found):
        panels.append(("ms", "time (ms, measured)", lambda v: f"{v:g}"))
    fig, axes = _figure(4.2 * len(panels), 3.8, len(panels))
    for ax, (field, title, label) in zip(axes, panels):
        for (name, found), (color, marker, style) in zip(lines.items(), itertools.cycle(_LINES)):
            found = sorted((x, r) for x, r in found if r.get(field) is not None)
            xs, ys = [x for x, _ in found], [r[field] for _, r in found]
            ax.plot(xs, ys, color=color, marker=marker, linestyle=style, markersize=4, label=name)
            if field == "ms":
                ax.fill_between(
                    xs,
                    [r["low"] for _, r in found],
                    [r["high"] for _, r in found],
                    color=color,
                    alpha=0.25,
                    linewidth=0,
                )
        ax.set_ylim(0)
        ax.set_xlim(0)
        ax.yaxis.set_major_formatter(lambda v, _, label=label: label(v))
        ax.set_xlabel(axis.removeprefix("arg."))
        ax.set_title(title)
    if len(lines) > 1:
        fig.legend(
            *axes[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=min(4, len(lines)),
        )
    return fig


def gradients(flow):
    """Mean |gradient| by layer with and without the heads, and the threshold."""
    fig, ax = _figure(8.5, 4)
    places = range(len(flow.layers))
    series = [("without heads", flow.without, BLUE, "o")] + (
        [("with heads", flow.with_heads, ORANGE, "s")] if flow.with_heads else []
    )
    for word, values, color, marker in series:
        ax.plot(places, values, color=color, marker=marker, markersize=4, label=word)
    _log(ax, "y")
    ax.axhline(flow.threshold, color=RED, linestyle="--", linewidth=1)
    ax.annotate(
        f"threshold {flow.threshold:g}",
        (len(flow.layers) - 1, flow.threshold),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        color=RED,
    )
    if flow.place:
        i = flow.layers.index(flow.place)
        ax.annotate(
            "a head belongs here",
            (i, flow.without[i]),
            xytext=(0, -24),
            textcoords="offset points",
            ha="center",
            color=RED,
            arrowprops={"arrowstyle": "->", "color": RED},
        )
    ax.legend(loc="best")
    ax.set_xticks(places, _briefs(flow.layers), rotation=45, ha="right", fontsize=8)
    ax.set_ylabel("mean |gradient| of the weights")
    ax.set_title(
        f"{flow.model}: gradient flow over {flow.iterations} iteration{'s' * (flow.iterations != 1)}"
    )
    return fig


def render(draw, *results, format: str = "svg") -> bytes:
    """Draw a chart in the house style: svg, pdf or png bytes, the same for the same numbers.

    Raises ImportError without matplotlib."""
    import warnings

    import matplotlib

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Glyph .* missing from font"
        )  # SVG and HTML show it in a font that has it
        fig = draw(*results)
        out = io.BytesIO()
        metadata = {
            "svg": {"Date": None, "Creator": "costlab"},
            "pdf": {"CreationDate": None, "Creator": "costlab", "Producer": "costlab"},
            "png": {"Software": "costlab"},
        }[format]
        fig.savefig(out, format=format, metadata=metadata, dpi=150)
    return out.getvalue()
