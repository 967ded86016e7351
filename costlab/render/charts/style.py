"""How charts look: width, theme, type sizes. Colours are safe for colour-blind readers (Okabe and
Ito); in grey, marks and hatches tell them apart. Bars begin at zero, and everything has a unit."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONT = "DejaVu Sans"  # comes with matplotlib, so that text is measured as it is embedded
TEXT, SMALL = 7.5, 7.0  # points; nothing is smaller
POINTS = 72  # an inch


def _lightness(color: str) -> float:
    """About how light a colour looks, 0 to 255."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return 0.3 * red + 0.59 * green + 0.11 * blue


@dataclass(frozen=True)
class Theme:
    """Colours by what they stand for."""

    name: str
    paper: str
    ink: str
    muted: str  # what is beside the point, and labels of it
    faint: str  # lines that guide the eye
    macs: str
    params: str
    activations: str
    time: str
    better: str
    worse: str

    @property
    def series(self) -> tuple[str, ...]:
        """Colours of networks or lines side by side."""
        return self.macs, self.params, self.activations, self.time, self.muted

    def on(self, color: str) -> str:
        """The colour of text on another one: whichever of ink and paper differs more."""
        return max(self.ink, self.paper, key=lambda c: abs(_lightness(c) - _lightness(color)))


LIGHT = Theme(
    name="light",
    paper="#ffffff",
    ink="#1a1a1a",
    muted="#6b6b6b",
    faint="#cccccc",
    macs="#0072b2",
    params="#e69f00",
    activations="#009e73",
    time="#cc79a7",
    better="#0072b2",
    worse="#d55e00",
)
DARK = Theme(
    name="dark",
    paper="#15181c",
    ink="#e8e8e8",
    muted="#a0a6ad",
    faint="#454b52",
    macs="#56b4e9",
    params="#f0b93a",
    activations="#2fc59b",
    time="#e39bc6",
    better="#56b4e9",
    worse="#ff8a4c",
)
GREYSCALE = Theme(
    name="grey",
    paper="#ffffff",
    ink="#000000",
    muted="#666666",
    faint="#cccccc",
    macs="#333333",
    params="#a6a6a6",
    activations="#6e6e6e",
    time="#000000",
    better="#a6a6a6",
    worse="#4d4d4d",
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK, GREYSCALE)}

ONE_COLUMN, TWO_COLUMNS = 3.3, 6.7  # inches, of a paper of two columns
_NARROWEST, _WIDEST = 3.0, 40.0
_UNITS = {"in": 1.0, "cm": 1 / 2.54, "pt": 1 / POINTS}


@dataclass(frozen=True)
class Look:
    """How a chart is drawn.

    Attributes:
        width: of the picture, in inches.
        theme: its colours.
        title: instead of the chart's own; "" for none.
    """

    width: float = TWO_COLUMNS
    theme: Theme = LIGHT
    title: str | None = None

    @property
    def narrow(self) -> bool:
        """Whether panels stand above each other, because two would be too small."""
        return self.width < 5

    def room(self, share: float) -> float:
        """Points of a share of the width."""
        return share * self.width * POINTS


PLAIN = Look()


def look(
    width: str | float | None = None, theme: str | None = None, title: str | None = None
) -> Look:
    """A look by names: a width as "3.3in", "8.5cm", "240pt" or in inches; a theme of `THEMES`.

    Raises ValueError for a width that cannot be read or is out of bounds, and for another theme."""
    if theme is not None and theme not in THEMES:
        raise ValueError(f"unknown theme {theme!r}; choose {', '.join(THEMES)}")
    inches = TWO_COLUMNS if width is None else _inches(width)
    return Look(inches, THEMES[theme or LIGHT.name], title)


def _inches(width: str | float) -> float:
    """Raises ValueError for what is no width, or one that no chart fits."""
    if isinstance(width, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(in|cm|pt)\s*", width)
        if found is None:
            raise ValueError(f"cannot read the width {width!r}; write it as 3.3in, 8.5cm or 240pt")
        inches = float(found[1]) * _UNITS[found[2]]
    else:
        inches = float(width)
    if not _NARROWEST <= inches <= _WIDEST:
        raise ValueError(
            f"a chart is {_NARROWEST:g} to {_WIDEST:g} inches wide, and this is {inches:.3g}"
        )
    return inches


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


def milliseconds(seconds: float) -> str:
    """0.123, 1.23, 12.3."""
    ms = 1e3 * seconds
    return f"{ms:.3g}" if ms < 1000 else f"{ms:,.0f}"


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


def entitle(fig: Figure, look: Look, words: str) -> None:
    """The title over the whole figure, on as many lines as it takes; the look's own instead, where
    it has one."""
    words = words if look.title is None else look.title
    if not words:
        return
    lines = wrapped(words, look.room(0.96), TEXT + 0.5, bold=True)
    fig.suptitle("\n".join(lines), x=0.01, ha="left", fontweight="bold", fontsize=TEXT + 0.5)


def legend_below(fig: Figure, handles: Sequence[Any], labels: Sequence[str], look: Look) -> None:
    """A legend under the whole figure, in as many columns as fit."""
    widest = max(map(text_width, labels)) + 28
    columns = min(len(labels), max(1, int(look.room(0.95) / widest)))
    fig.legend(handles, labels, loc="outside lower left", ncols=columns)


def wrapped(text: str, room: float, size: float = SMALL, *, bold: bool = False) -> list[str]:
    """A text in lines of at most so many points, cut at spaces."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size, bold=bold) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def text_width(text: str, size: float = SMALL, *, bold: bool = False) -> float:
    """Points that a text takes in the font of the charts."""
    return _width(text, bold) * size / 100


@lru_cache(maxsize=4096)
def _width(text: str, bold: bool) -> float:
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.ft2font import LoadFlags

    weight = "bold" if bold else "normal"
    font = get_font(findfont(FontProperties(family=FONT, weight=weight)))
    font.set_size(100, POINTS)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    return font.get_width_height()[0] / 64


@contextmanager
def styled(theme: Theme) -> Iterator[None]:
    """matplotlib in the house style within; its own settings after."""
    import matplotlib

    with matplotlib.rc_context(settings(theme)), warnings.catch_warnings():
        # SVG and HTML show it in a font that has it
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def render(
    draw: Callable[..., Figure], *results: Any, look: Look = PLAIN, format: str = "svg"
) -> bytes:
    """Draw a chart: svg, pdf or png bytes, the same for the same numbers.

    Raises ImportError without matplotlib."""
    with styled(look.theme):
        fig = draw(*results, look=look)
        out = io.BytesIO()
        metadata = {
            "svg": {"Date": None, "Creator": "costlab"},
            "pdf": {"CreationDate": None, "Creator": "costlab", "Producer": "costlab"},
            "png": {"Software": "costlab"},
        }[format]
        fig.savefig(out, format=format, metadata=metadata, dpi=200)
    return out.getvalue()
