"""How wide a text is in the font that the pictures are set in."""

from __future__ import annotations

from functools import lru_cache

from ..._text import shown

FAMILY = "DejaVu Sans, Verdana, sans-serif"  # Verdana has the widths of DejaVu Sans
_FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}


@lru_cache(maxsize=2)
def _font(bold: bool):
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/{_FILES[bold]}", 1000)


@lru_cache(maxsize=20_000)
def width(text: str, size: float, bold: bool = False) -> float:
    """Points that a text takes at a font size, in DejaVu Sans, which the PDF embeds."""
    return _font(bold).getlength(shown(text)) * size / 1000


def wrapped(text: str, room: float, size: float, bold: bool = False) -> list[str]:
    """Lines of a text that are no wider than `room` points; a word that is wider is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if width(longer, size, bold) <= room:
            lines[-1] = longer
            continue
        *whole, rest = _cut(word, room, size, bold)
        lines += [*whole, rest]
    return [line for line in lines if line]


def _cut(word: str, room: float, size: float, bold: bool) -> list[str]:
    parts = [""]
    for letter in word:
        if parts[-1] and width(parts[-1] + letter, size, bold) > room:
            parts.append("")
        parts[-1] += letter
    return parts
