"""The words of a PDF with their places, and which of them are misplaced."""

import io
import math
from dataclasses import dataclass
from itertools import pairwise

import pytest

pypdf = pytest.importorskip("pypdf")


@dataclass(frozen=True)
class Word:
    """A run of text: where it begins in points from the lower left, how high its letters are under
    all matrices, and whether it is upright (an axis label is turned)."""

    text: str
    x: float
    y: float
    height: float
    upright: bool


@dataclass(frozen=True)
class Page:
    width: float
    height: float
    words: tuple[Word, ...]


def pages(data):
    """The pages of a PDF, of its bytes."""
    return [_page(page) for page in pypdf.PdfReader(io.BytesIO(data)).pages]


def _page(page):
    found = []

    def visit(text, outer, inner, _, size):
        if text.strip():
            across = inner[2] * outer[0] + inner[3] * outer[2]
            up = inner[2] * outer[1] + inner[3] * outer[3]
            found.append(
                Word(
                    text,
                    inner[4] * outer[0] + inner[5] * outer[2] + outer[4],
                    inner[4] * outer[1] + inner[5] * outer[3] + outer[5],
                    math.hypot(across, up) * size,
                    abs(inner[0] * outer[1] + inner[1] * outer[3]) < 0.01,
                )
            )

    page.extract_text(visitor_text=visit)
    width, height = map(float, page.mediabox[2:])
    return Page(width, height, tuple(found))


def misplaced(of_pages):
    """Words outside their page's margins (half a centimetre), and lines of one left edge closer
    than five points."""
    found = []
    for page in of_pages:
        columns = {}
        for word in page.words:
            if word.upright:
                columns.setdefault(round(word.x), []).append((word.y, word.text))
                if not (14 < word.x < page.width - 14 and 14 < word.y < page.height - 14):
                    found.append(word.text)
        for lines in columns.values():
            lines.sort()
            found.extend(
                (a, b)
                for a, b in pairwise(lines)
                if 0.1 < b[0] - a[0] < 5 and min(len(a[1].strip()), len(b[1].strip())) > 1
            )
    return found
