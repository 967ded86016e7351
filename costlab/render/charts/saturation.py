"""Where activations saturate, and what that leaves of a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .axes import log_axes
from .figures import entitle, figure
from .looks import Look, PLAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis.illustrations import Saturation

_LINES = ("-", "--", ":")  # told apart without colours too
_TOP = 1.5  # of the linear axes, above a slope of 1: the legend is there
_ABOVE = 3  # of the logarithmic axis
_WORDS = {"relu": "ReLU", "squared": "squared error"}


def saturation(result: Saturation, look: Look = PLAIN) -> Figure:
    """The slope of each activation; what is left of an error behind many; and the gradient at an
    output that is wrong, by the loss."""
    rows, columns = (3, 1) if look.narrow else (1, 3)
    fig, axes = figure(look, 2.1 * rows + 0.2, rows, columns)
    _slopes(axes[0], result, look)
    _left(axes[1], result, look)
    _losses(axes[2], result, look)
    entitle(fig, look, "A saturated sigmoid passes almost no gradient on")
    return fig


def _slopes(ax: Axes, result: Saturation, look: Look) -> None:
    for curve, line, color in zip(result.activations, _LINES, look.theme.series, strict=False):
        ax.plot(result.inputs, curve.values, line, color=color, label=_name(curve.name))
    ax.set_ylim(0, _TOP)
    _label(ax, "slope of the activation", "input")


def _left(ax: Axes, result: Saturation, look: Look) -> None:
    for curve, line, color in zip(result.activations, _LINES, look.theme.series, strict=False):
        left = result.left(curve)
        ax.plot(range(len(left)), left, line, color=color, marker="o", label=_name(curve.name))
    log_axes(ax, "y")
    ax.set_ylim(top=_ABOVE)
    _label(ax, "largest share of an error", "activations in a row", low=True)


def _losses(ax: Axes, result: Saturation, look: Look) -> None:
    for curve, line, color in zip(result.losses, _LINES, look.theme.series, strict=False):
        ax.plot(result.inputs, curve.values, line, color=color, label=_name(curve.name))
    ax.set_ylim(0, _TOP)
    _label(ax, "|gradient| at a sigmoid output", "input (the target is 1)")


def _label(ax: Axes, title: str, across: str, *, low: bool = False) -> None:
    ax.set_title(title)
    ax.set_xlabel(across)
    ax.legend(loc="lower left" if low else "upper right")


def _name(name: str) -> str:
    return _WORDS.get(name, name)
