"""Networks side by side, stage by stage."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ...cost import three_digits
from ...predict import spell_time, times_on
from ...tables import display_names
from .bars import ROW, bars_with_numbers, make_room, names_beside, without_scale
from .figures import entitle, figure
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analysis.compare import Comparison, Side

_MOST = 5  # networks


def comparison(result: Comparison, look: Look = PLAIN) -> Figure:
    """MACs and params of each stage, a bar a network, all on one scale.

    Raises ValueError for more networks than can be told apart."""
    sides, theme = result.sides, look.theme
    if len(sides) > _MOST:
        raise ValueError(f"a chart compares at most {_MOST} models, not {len(sides)}")
    names = display_names([s.name for s in sides])
    strides = sorted({st.stride for s in sides for st in s.stages}, key=lambda v: v or inf)
    rows, columns = (2, 1) if look.narrow else (1, 2)
    height = len(strides) * (len(sides) + 0.5) * 0.85 * ROW + 0.3
    fig, axes = figure(look, rows * height + 0.6, rows, columns, sharey=True)
    for ax, field, title in zip(axes, ("macs", "params"), ("MACs", "params"), strict=True):
        for i, (side, name) in enumerate(zip(sides, names, strict=True)):
            of = {st.stride: getattr(st, field) for st in side.stages}
            bars_with_numbers(
                ax,
                [of.get(stride, 0) for stride in strides],
                theme.series[i],
                theme,
                off=(i - (len(sides) - 1) / 2) * 0.8 / len(sides),
                height=0.76 / len(sides),
                hatched=i % 2 == 1,
                label=_label(name, side),
            )
        ax.set_title(title)
        without_scale(ax)
    names_beside(axes[0], [f"stride {s}" if s else "head" for s in strides], look)
    make_room(fig, axes)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower left", ncols=1)
    words = f"{', '.join(names[:-1])} and {names[-1]}: cost by stage"
    entitle(fig, look, words, times_on(sides[0].prediction))
    return fig


def _label(name: str, side: Side) -> str:
    """The totals of a network, with its predicted time where a profile was given."""
    time = f", {spell_time(side.prediction, side.prediction.total)}" if side.prediction else ""
    return f"{name}: {three_digits(side.macs)} MACs, {three_digits(side.params)} params{time}"
