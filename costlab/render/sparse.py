"""Columns with few values: which they are, and many of them as one column of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .cells import Text

SPARSE = 0.34  # of the rows: a column with something in at most so many is sparse
_HALF = 0.55  # likewise for half empty
_MANY = 4  # sparse columns that become one
_ONE = "further columns"  # the header of what is one


def emptiest(cols: Sequence[Text], part: float) -> list[Text]:
    """Columns without a total that at most this part of the rows has something in, the emptiest
    first."""
    filled = {id(c): sum(map(bool, c.cells)) for c in cols}
    few = [c for c in cols[1:] if not c.total and filled[id(c)] <= part * len(c.cells)]
    return sorted(few, key=lambda c: filled[id(c)])


def folded(cols: Sequence[Text]) -> Iterator[list[Text]]:
    """The columns with all sparse ones as one where these are many, then with one more that is half
    empty, ..."""
    order, sparse = emptiest(cols, _HALF), len(emptiest(cols, SPARSE))
    if sparse < _MANY:
        return
    for count in range(sparse, len(order) + 1):
        gone = {id(c) for c in order[:count]}
        mine = [c for c in cols if id(c) in gone]
        place = next(i for i, c in enumerate(cols) if c is mine[0])
        rest = [c for c in cols if id(c) not in gone]
        yield [*rest[:place], _as_one(mine), *rest[place:]]


def _as_one(cols: Sequence[Text]) -> Text:
    """Several columns as one of text, each value after its header."""
    rows = zip(*(c.cells for c in cols), strict=True)
    said = (
        "; ".join(f"{c.header} {v}" for c, v in zip(cols, row, strict=True) if v) for row in rows
    )
    return replace(cols[0], header=_ONE, right=False, cells=tuple(said), bars=())
