"""The font of the charts, how wide a text is in it, and how a text is broken into lines."""

from __future__ import annotations

import warnings
from functools import lru_cache

from ..._text import shown_lines

FONT = "DejaVu Sans"  # comes with matplotlib, so that text is measured as it is embedded
TEXT, SMALL = 7.5, 7.0  # points; nothing is smaller
POINTS = 72  # an inch


def milliseconds(seconds: float) -> str:
    """0.123, 1.23, 12.3."""
    ms = 1e3 * seconds
    return f"{ms:.3g}" if ms < 1000 else f"{ms:,.0f}"


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
    return _width(shown_lines(text), bold) * size / 100


@lru_cache(maxsize=4096)
def _width(text: str, bold: bool) -> float:
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.ft2font import LoadFlags

    weight = "bold" if bold else "normal"
    font = get_font(findfont(FontProperties(family=FONT, weight=weight)))
    font.set_size(100, POINTS)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s)Glyph .* missing from font")
        font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    return font.get_width_height()[0] / 64
