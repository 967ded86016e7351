"""Grid reductions."""

from __future__ import annotations

from ...cost import short
from .axes import bars_beside_names
from .style import BLUE, ORANGE, figure


def grid(reduction):
    """MACs of each scheme; a representational bottleneck is hatched and said so."""
    fig, ax = figure(9, 0.62 * len(reduction.schemes) + 1)
    first = reduction.schemes[0].macs
    bars = bars_beside_names(
        ax, [s.name for s in reduction.schemes], [s.macs for s in reduction.schemes], BLUE
    )
    for bar, text, s in zip(bars, ax.texts, reduction.schemes, strict=True):
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
