"""How much of each page of a document is blank."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

PPI = 24.0  # pixels an inch: enough to see lines of text
MOST = 0.5  # blank, of any page but the last
_MARGIN = 60.0  # points at the top and the bottom of a page
_GAP = 24.0  # points; less is space between lines and paragraphs
_INK = 215  # of 255: what is darker is printed on


@dataclass(frozen=True)
class Blank:
    """Parts of a page's height, without its margins, that are blank (0 to 1): gaps higher than
    those between paragraphs. `above`: of these what has something below it."""

    all: float
    above: float


def blank(page: bytes) -> Blank:
    """What is blank on a page. `page`: a PNG at `PPI`."""
    from PIL import Image

    darkest = np.asarray(Image.open(io.BytesIO(page)).convert("L")).min(axis=1)
    margin = round(_MARGIN / 72 * PPI)
    empty = [bool(row >= _INK) for row in darkest[margin:-margin]]
    gaps = [run if run > _GAP / 72 * PPI else 0 for run in _runs(empty)]
    return Blank(sum(gaps) / len(empty), sum(gaps[:-1]) / len(empty))


def _runs(empty: Iterable[bool]) -> list[int]:
    """How many rows in a row are empty, for each such run; the last one is at the foot of the page,
    and 0 where something is printed there."""
    found = [0]
    for row in empty:
        if row:
            found[-1] += 1
        elif found[-1]:
            found.append(0)
    return found


def half_empty(pages: Sequence[Blank]) -> bool:
    """Whether a page but the last is more than half blank."""
    return max((page.all for page in pages[:-1]), default=0.0) > MOST


def emptiness(pages: Sequence[Blank]) -> float:
    """How empty pages are, for comparison: one large gap counts for more than two small ones, and
    one inside a page for more than one at its foot. The last page does not count."""
    return sum(page.all**2 + page.above**2 for page in pages[:-1])
