"""Printed sizes, depths and filters against the traced row: text against text.

A cell that differs is not explained, whatever it is. What is known about the difference is a
hint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .causes import Cause, FilterSum, Finding, InputGrid, LayerCount, Verdict
from .cells import LABELS, PrintedRow
from .conventions import KINDS
from .result import Cell
from .rows import Counted
from .texts import INPUT, OUTPUT, grid_of, pool_of, same_text, spelled

_NOT_COMPARED = (*KINDS, "neurons", "note", "source", "")
_FILTERS = re.compile(r"(double |triple )?\d+x\d+( \d+x\d+)*")  # no reductions and no pools
_POOL = "pool proj"


@dataclass(frozen=True)
class Compared:
    """How many cells of a row were compared, and those that differ."""

    of: int
    different: tuple[Cell, ...]


def compare(name: str, printed: PrintedRow, row: Counted) -> Compared:
    """Compare the printed cells that are not counts; `name` is what the row is called."""
    compared = 0
    different: list[Cell] = []
    for key, text in printed.cells.items():
        if not _is_compared(key, text, row):
            continue
        compared += 1
        have = row.texts.get(key, "")
        if not same_text(key, text, have):
            finding = Finding(Verdict.UNEXPLAINED, _hint(key, printed, row))
            different.append(Cell(name, key, text, have, finding))
    return Compared(compared, tuple(different))


def ignored_columns(layers: Iterable[tuple[PrintedRow, Counted | None]]) -> tuple[str, ...]:
    """The columns with content that are compared in no row: the trace has none of these names."""
    found: dict[str, bool] = {}
    for printed, row in layers:
        for key, text in printed.cells.items():
            if text and key not in (*_NOT_COMPARED, *LABELS, "input") and row is not None:
                found[key] = found.get(key, False) or _is_compared(key, text, row)
    return tuple(key for key, compared in found.items() if not compared)


def _is_compared(key: str, text: str, row: Counted) -> bool:
    """Whether a cell has content, and the trace a column for it or the column is of filters."""
    if key in _NOT_COMPARED or not text:
        return False
    if key == "type":
        return pool_of(text) != ""
    return key in row.texts or re.search(r"\dx\d|pool proj", key) is not None


def _hint(key: str, printed: PrintedRow, row: Counted) -> Cause | None:
    """What is known about a cell that differs from the trace's."""
    text, have = spelled(printed.get(key)), row.texts.get(key, "")
    if key == "depth" and have.isdigit():
        return LayerCount(int(have))
    if key != OUTPUT or not grid_of(have):
        return None
    channels = have.rsplit("x", 1)[1]
    if text.rsplit("x", 1)[-1] == channels or grid_of(have) == text:
        read = grid_of(row.texts.get(INPUT, ""))
        return InputGrid() if grid_of(text) == read != grid_of(have) else None
    added = _filter_sum(printed, row)
    return FilterSum(added) if added is not None and str(added) not in text.split("x") else None


def _filter_sum(printed: PrintedRow, row: Counted) -> int | None:
    """The channels that the printed filters of a module add up to; None where they are not all
    plain numbers."""
    cells = {k: v for k, v in printed.cells.items() if v and (_FILTERS.fullmatch(k) or k == _POOL)}
    widths = [_branch_width(v, row) for v in cells.values()]
    if row.kind != "module" or len(widths) < 2 or None in widths:
        return None
    return sum(w for w in widths if w is not None)


def _branch_width(text: str, row: Counted) -> int | None:
    """The channels of one branch: 128, avg + 128, or what a pool passes through."""
    if "pass through" in text:
        channels = row.texts.get(INPUT, "").rsplit("x", 1)[-1]
    else:
        channels = text.rsplit("+", 1)[-1].strip()
    return int(channels) if channels.isdigit() else None
