"""One house style: colour-blind safe (Okabe and Ito), told apart in grey by marker and hatch,
direct labels, axes from zero where lengths are compared, units."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7F7F7F"
STYLE: dict[Any, Any] = {
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


def figure(width: float, height: float, columns: int = 1, **kw) -> tuple[Figure, Any]:
    """A figure of so many inches, and its axes: one, or an array of `columns` in a row."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(1, columns, **kw)


def render(draw: Callable[..., Figure], *results: Any, format: str = "svg") -> bytes:
    """Draw a chart in the house style: svg, pdf or png bytes, the same for the same numbers.

    Raises ImportError without matplotlib."""
    import matplotlib

    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # SVG and HTML show it in a font that has it
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        fig = draw(*results)
        out = io.BytesIO()
        metadata = {
            "svg": {"Date": None, "Creator": "costlab"},
            "pdf": {"CreationDate": None, "Creator": "costlab", "Producer": "costlab"},
            "png": {"Software": "costlab"},
        }[format]
        fig.savefig(out, format=format, metadata=metadata, dpi=150)
    return out.getvalue()
