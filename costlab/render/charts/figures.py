"""Figures, and what stands around their axes: a title above and a legend below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .lettering import TEXT, text_width, wrapped
from .looks import Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure(
    look: Look, height: float, rows: int = 1, columns: int = 1, **kw: Any
) -> tuple[Figure, Any]:
    """A figure of so many inches of height, and its axes: one, or an array of them."""
    fig = empty_figure(look, height)
    return fig, fig.subplots(rows, columns, **kw)


def empty_figure(look: Look, height: float) -> Figure:
    """A figure of so many inches of height."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(look.width, height), layout="constrained")
    fig.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.03)  # type: ignore[union-attr]
    return fig


def entitle(fig: Figure, look: Look, words: str, times: str = "") -> None:
    """The title over the whole figure, on as many lines as it takes; the look's own instead, where
    it has one. It says what `times` are that are shown."""
    words = "; ".join(filter(None, (words, times))) if look.title is None else look.title
    if not words:
        return
    lines = wrapped(words, look.room(0.96), TEXT + 0.5, bold=True)
    fig.suptitle("\n".join(lines), x=0.01, ha="left", fontweight="bold", fontsize=TEXT + 0.5)


def legend_below(fig: Figure, handles: Sequence[Any], labels: Sequence[str], look: Look) -> None:
    """A legend under the whole figure, in as many columns as fit."""
    widest = max(map(text_width, labels)) + 28
    columns = min(len(labels), max(1, int(look.room(0.95) / widest)))
    fig.legend(handles, labels, loc="outside lower left", ncols=columns)
