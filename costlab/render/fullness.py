"""How much of each page of a document is blank."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import numpy as np

PPI = 24.0  # pixels an inch: enough to see lines of text
MOST = 0.5  # blank, of any page but the last
_MARGIN = 60.0  # points at the top and the bottom of a page
_GAP = 24.0  # points; less is space between lines and paragraphs
_INK = 215  # of 255: what is darker is printed on


def blank(page: bytes) -> float:
    """The part of a page's height, without its margins, that is blank (0 to 1): gaps higher than
    those between paragraphs. `page`: a PNG at `PPI`."""
    from PIL import Image

    darkest = np.asarray(Image.open(io.BytesIO(page)).convert("L")).min(axis=1)
    margin = round(_MARGIN / 72 * PPI)
    empty = [bool(row >= _INK) for row in darkest[margin:-margin]]
    gaps = [run for run in _runs(empty) if run > _GAP / 72 * PPI]
    return sum(gaps) / len(empty)


def _runs(empty: Iterable[bool]) -> list[int]:
    """How many rows in a row are empty, for each such run."""
    found = [0]
    for row in empty:
        if row:
            found[-1] += 1
        elif found[-1]:
            found.append(0)
    return found


def blankest(pages: Sequence[bytes]) -> float:
    """The blank part of the emptiest page but the last, 0 where there is one page."""
    return max(map(blank, pages[:-1]), default=0.0)
