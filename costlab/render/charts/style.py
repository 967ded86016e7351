"""The house style of the charts, and how one is drawn in it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..._text import shown_lines
from .lettering import FONT, SMALL, TEXT
from .looks import PLAIN, Look
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def settings(theme: Theme) -> dict[Any, Any]:
    """matplotlib's settings of a theme."""
    return {
        "font.family": FONT,
        "font.size": TEXT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": TEXT,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.titlepad": 4,
        "axes.labelsize": SMALL,
        "axes.labelpad": 2,
        "axes.linewidth": 0.6,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "legend.fontsize": SMALL,
        "legend.frameon": False,
        "legend.handlelength": 1.6,
        "legend.borderpad": 0.1,
        "lines.linewidth": 1.2,
        "lines.markersize": 3.5,
        "hatch.linewidth": 0.6,
        "text.parse_math": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "costlab",
        "pdf.fonttype": 42,
        "figure.dpi": 100,
        "axes.axisbelow": True,
        "axes.grid": False,
        "grid.linewidth": 0.5,
        "figure.facecolor": theme.paper,
        "savefig.facecolor": theme.paper,
        "axes.facecolor": theme.paper,
        "text.color": theme.ink,
        "axes.edgecolor": theme.ink,
        "axes.labelcolor": theme.ink,
        "axes.titlecolor": theme.ink,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        "grid.color": theme.faint,
    }


@contextmanager
def styled(theme: Theme) -> Generator[None]:
    """matplotlib in the house style within; its own settings after."""
    import matplotlib

    with matplotlib.rc_context(settings(theme)), warnings.catch_warnings():
        # SVG and HTML show it in a font that has it
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def _clean(fig: Figure) -> None:
    """Nothing in the texts of a figure acts on what shows them. Those of ticks are made anew when
    it is drawn: of an SVG, which may hold no control characters, the whole is looked through."""
    from matplotlib.text import Text

    for text in fig.findobj(Text):
        text.set_text(shown_lines(text.get_text()))


def render(
    draw: Callable[..., Figure], *results: Any, look: Look = PLAIN, format: str = "svg"
) -> bytes:
    """Draw a chart: svg, pdf or png bytes, the same for the same numbers.

    Raises ImportError without matplotlib."""
    with styled(look.theme):
        fig = draw(*results, look=look)
        _clean(fig)
        out = io.BytesIO()
        metadata = {
            "svg": {"Date": None, "Creator": "costlab"},
            "pdf": {"CreationDate": None, "Creator": "costlab", "Producer": "costlab"},
            "png": {"Software": "costlab"},
        }[format]
        fig.savefig(out, format=format, metadata=metadata, dpi=200)
    data = out.getvalue()
    return shown_lines(data.decode()).encode() if format == "svg" else data
