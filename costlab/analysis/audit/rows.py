"""The rows of a traced table with exact counts, and which of them each printed row means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from ...cost import cost_of, is_weight, total
from ...graph import Fork, Node, forks, layer_graph
from ...tables import STYLES, table
from ...trace import Op, Trace
from .cells import PrintedRow, row_kind, row_label
from .conventions import Counts


@dataclass(frozen=True)
class Width:
    """Input channels of a fork, and the weights and MACs that one more of them adds."""

    channels: int
    weights_each: int
    macs_each: int


@dataclass(frozen=True)
class Counted:
    """A traced row: its cells as the table prints them, its exact counts, of a fork its width."""

    label: str
    cells: dict[str, Any]
    counts: Counts
    width: Width | None = None

    def counts_at(self, channels: int) -> Counts:
        """The counts of a fork with another number of input channels."""
        if self.width is None:
            return self.counts
        more = channels - self.width.channels
        return replace(
            self.counts,
            weights=self.counts.weights + more * self.width.weights_each,
            macs=self.counts.macs + more * self.width.macs_each,
        )


def count_rows(trace: Trace, style: str = "paper") -> list[Counted]:
    """The table's rows with weights, biases, norm scales and MACs apart."""
    regions = {f.end: f for f in forks(layer_graph(trace))} if style == "paper" else {}
    found = []
    for row in table(trace, style, "macs", columns=["input size"]).rows:
        fork = regions.get(max(row.nodes, default=-1))
        counts = _counts(trace, [trace.ops[i] for i in row.ops])
        width = _width(trace, fork) if fork else None
        found.append(Counted(row_label(row.cells), row.cells, counts, width))
    return found


def _counts(trace: Trace, ops: list[Op]) -> Counts:
    params = {p for op in ops for p in op.params}
    norms = {p for op in ops if "norm" in op.name for p in op.params}

    def elements(chosen):
        return sum(trace.params[p].numel for p in chosen)

    return Counts(
        elements(p for p in params if is_weight(trace, p)),
        elements(p for p in params - norms if len(trace.params[p].shape) == 1),
        total(trace, ops).macs,
        elements(params & norms),
    )


def _first_convolution(chain: Sequence[Node]) -> Node | None:
    """The layer of a branch that reads the fork's input: its first, or that after the pool."""
    if chain and chain[0].kind == "conv":
        return chain[0]
    return chain[1] if len(chain) > 1 else None


def _width(trace: Trace, fork: Fork) -> Width | None:
    heads = [_first_convolution(branch.chain) for branch in fork.branches]
    readers = [(node, node.op) for node in heads if node is not None and node.op is not None]
    if not readers:
        return None
    channels = readers[-1][0].in_shape[1]
    return Width(
        channels,
        sum(trace.shapes(op)[1][0] * prod(node.kernel) for node, op in readers),
        sum(cost_of(trace, op).macs // node.in_shape[1] for node, op in readers),
    )


_TABLE_KEYS: dict[str, str] = {
    "patch size stride": "patch size/stride"
}  # printed key -> the table's own


def _score(printed: PrintedRow, row: Counted) -> int:
    """How well a printed row and a traced one go together; under 1: not at all."""
    label = printed.label
    # rows that have names go by them
    if row.label != row.cells.get("type") or label != printed.cells.get("type"):
        return 6 if label == row.label else -1
    if row_kind(label) != row_kind(row.label):
        return -1
    mine, theirs = (re.search(r"\((\w+)\)", name) for name in (label, row.label))
    if mine and theirs and mine[1] != theirs[1]:  # (9z) is not (5b)
        return -1

    def same(key: str) -> bool:
        text = printed.get(key)
        return bool(text) and text == str(row.cells.get(_TABLE_KEYS.get(key, key), ""))

    return (
        2
        + 3 * (label == row.label)
        + 2 * same("output size")
        + 2 * same("input size")
        + same("patch size stride")
    )


def align(printed: Sequence[PrintedRow], rows: Sequence[Counted]) -> list[Counted | None]:
    """For each printed row the traced row that it means (None: none), both kept in order.

    The pairing with the greatest sum of scores, by dynamic programming from the last rows."""
    n, m = len(printed), len(rows)
    best = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            score = _score(printed[i], rows[j])
            paired = score + best[i + 1][j + 1] if score > 0 else 0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    found: list[Counted | None] = []
    j = 0
    for i in range(n):
        while j < m and best[i][j] == best[i][j + 1] and best[i][j] > best[i + 1][j]:
            j += 1
        score = _score(printed[i], rows[j]) if j < m else -1
        paired = score > 0 and best[i][j] == score + best[i + 1][j + 1]
        found.append(rows[j] if paired else None)
        j += paired
    return found


@dataclass(frozen=True)
class Alignment:
    """The traced row of each printed one (None: none), in the table style that fits most rows."""

    style: str
    rows: list[Counted | None]


def align_in_best_style(printed: Sequence[PrintedRow], trace: Trace) -> Alignment:
    """The alignment in the style whose rows are the printed ones; the paper style wins a tie.

    Raises ValueError when no printed row has a counterpart in the trace."""
    found = [Alignment(style, align(printed, count_rows(trace, style))) for style in STYLES]
    best = max(found, key=lambda a: sum(row is not None for row in a.rows))
    if not any(best.rows):
        raise ValueError(
            "no printed row has a counterpart in the trace: the rows need a type column "
            "(convolution, max pool, inception (3a), ...), or the names that costlab table gives"
        )
    return best
