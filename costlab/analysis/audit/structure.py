"""Printed sizes, depths and filters against the traced row: text against text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .causes import Cause, FilterSum, Finding, InputGrid, OneLayer, OtherGrid, Verdict
from .cells import PrintedRow, column_key
from .conventions import KINDS
from .result import Cell
from .rows import Counted

_NOT_COMPARED = ("type", *KINDS, "note", "source", "")
_STRIDE = "patch size stride"
_FILTERS = re.compile(r"(double )?\d+x\d+")  # a column of filters, without reductions and pools


@dataclass(frozen=True)
class Compared:
    """How many cells of a row were compared, and those that differ."""

    of: int
    different: tuple[Cell, ...]


def compare(name: str, printed: PrintedRow, row: Counted) -> Compared:
    """Compare the printed cells that are no counts; `name` is what the row is called."""
    skipped = (*KINDS, "type")
    traced = {column_key(k): str(v) for k, v in row.cells.items() if k not in skipped}
    compared, different = 0, []
    for key, text in printed.cells.items():
        if not _is_compared(key, text, traced):
            continue
        compared += 1
        have = traced.get(key, "")
        if text == have or (text == "0" and not have):
            continue
        cause = _cause(key, printed, traced)
        verdict = Verdict.EXPLAINED if cause else Verdict.UNEXPLAINED
        different.append(Cell(name, key, text, have, Finding(verdict, cause)))
    return Compared(compared, tuple(different))


def _is_compared(key: str, text: str, traced: dict[str, str]) -> bool:
    """Whether a cell has content, and the trace a column for it or the column is of filters."""
    if key in _NOT_COMPARED or not text or (key == _STRIDE and "/" not in text):
        return False
    return key in traced or re.search(r"\dx\d|pool proj", key) is not None


def _cause(key: str, printed: PrintedRow, traced: dict[str, str]) -> Cause | None:
    """What explains a cell that differs from the trace's; None where nothing is known."""
    text, have = printed.get(key), traced.get(key, "")
    if key == "depth":
        return OneLayer() if text == "1" else None
    if key != "output size":
        return None
    channels = have.rsplit("x", 1)[-1]
    if "x" in text and channels == text.rsplit("x", 1)[-1]:
        return InputGrid() if "stride" in traced.get(_STRIDE, "") else OtherGrid()
    if not all(re.fullmatch(r"[\dx]+", size) for size in (text, have)):
        return None
    has_filters = any(_FILTERS.fullmatch(k) and v.isdigit() for k, v in printed.cells.items())
    return FilterSum(int(channels)) if has_filters else None
