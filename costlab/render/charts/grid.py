"""Grid reductions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cost import three_digits
from ...predict import prediction_of, spell_time, times_on
from .bars import (
    ROW,
    draw_bars,
    lines_of,
    make_room,
    number,
    without_scale,
    wrapped_names,
)
from .figures import entitle, figure
from .lettering import wrapped
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analysis.grid import GridReduction, Scheme


def grid(reduction: GridReduction, look: Look = PLAIN) -> Figure:
    """MACs of each scheme; a representational bottleneck is hatched and said so."""
    schemes, theme = reduction.schemes, look.theme
    names = [s.name for s in schemes]
    fig, ax = figure(look, len(names) * ROW * max(1.4, lines_of(names, look)) + 0.8)
    first = schemes[0].macs
    draw_bars(ax, [s.macs for s in schemes], theme.macs, theme)
    for place, s in enumerate(schemes):
        words = f"{three_digits(s.macs)} ({s.macs / first:.2f}x){_time(s)}"
        number(ax, words, s.macs, place)
    narrow = [s for s in schemes if s.bottleneck]
    if narrow:
        least = min(s.narrowest for s in narrow if s.narrowest is not None)
        macs = [s.macs if s.bottleneck else 0 for s in schemes]
        words = f"representational bottleneck: {least:,} elements at its narrowest"
        lines = "\n".join(wrapped(words, look.room(0.8)))
        draw_bars(ax, macs, theme.worse, theme, hatched=True, label=lines)
        fig.legend(loc="outside lower left")
    wrapped_names(ax, names, look)
    without_scale(ax)
    make_room(fig, [ax])
    c, d, _ = reduction.input
    out = schemes[0].out
    words = f"Grid reduction {d}x{d}x{c} to {out[1]}x{out[2]}x{out[0]}: MACs (multiply-adds)"
    entitle(fig, look, words, times_on(prediction_of(schemes[0].trace)))
    return fig


def _time(scheme: Scheme) -> str:
    """The predicted time of a scheme, after its MACs; nothing without a profile."""
    prediction = prediction_of(scheme.trace)
    return f", {spell_time(prediction, prediction.total)}" if prediction else ""
