"""What the rules of factorization save in MACs, and from which width on."""

from __future__ import annotations

from .axes import bars_beside_names
from .style import BLUE, GREY, ORANGE, RED, figure


def savings(rules, curve):
    """Savings by rewrite, and the break-even curve of stacked 3x3."""
    fig, (left, right) = figure(10, 4.6, 2, width_ratios=(1.15, 1))
    bars_beside_names(
        left,
        [r.name for r in rules.rules],
        [100 * r.saving for r in rules.rules],
        BLUE,
        lambda v: f"{v:.1f}%",
    )
    worst = min(0, *(100 * r.saving for r in rules.rules))
    shown = max(worst, -150)  # what costs many times more is cut, with its number
    for bar, text, r in zip(left.patches, left.texts, rules.rules, strict=True):
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
