"""The rows of a traced table with exact counts, and which of them each printed row means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

from ...cost import cost_of, is_weight, total
from ...graph import WEIGHTED, Fork, Node, forks, layer_graph
from ...tables import STYLES, table
from ...trace import Op, Trace
from .cells import PrintedRow, column_key, row_kind, row_label
from .conventions import Counts
from .texts import same_text


@dataclass(frozen=True)
class Width:
    """Input channels of a fork, and the weights and MACs that one more of them adds."""

    channels: int
    weights_each: int
    macs_each: int


@dataclass(frozen=True)
class Counted:
    """A traced row: its `cells` as the table prints them, its exact counts, of a fork its width.

    `kind`: what its layers are, as `row_kind` says it of a printed label."""

    label: str
    kind: str
    cells: dict[str, Any]
    counts: Counts
    width: Width | None = None

    @property
    def type(self) -> str:
        """The type cell, in styles that have one."""
        return str(self.cells.get("type", ""))

    @cached_property
    def texts(self) -> dict[str, str]:
        """The cells as text, by the keys of printed columns."""
        return {column_key(key): str(value) for key, value in self.cells.items()}

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
    nodes = layer_graph(trace)
    regions = {f.end: f for f in forks(nodes)} if style == "paper" else {}
    found: list[Counted] = []
    for row in table(trace, style, "macs", columns=["input size"]).rows:
        fork = regions.get(max(row.nodes, default=-1))
        counts = count_ops(trace, [trace.ops[i] for i in row.ops])
        kind = "module" if fork else _kind([nodes[i] for i in row.nodes])
        width = _width(trace, fork) if fork else None
        found.append(Counted(row_label(row.cells), kind, row.cells, counts, width))
    return found


def count_ops(trace: Trace, ops: Sequence[Op]) -> Counts:
    """The exact counts of some operations; each parameter counts once."""
    params = {p for op in ops for p in op.params}
    norms = {p for op in ops if "norm" in op.name for p in op.params}

    def elements(chosen: Iterable[int]) -> int:
        return sum(trace.params[p].numel for p in chosen)

    return Counts(
        elements(p for p in params if is_weight(trace, p)),
        elements(p for p in params - norms if not is_weight(trace, p)),
        total(trace, ops).macs,
        elements(p for p in params & norms if not is_weight(trace, p)),
        sum(cost_of(trace, op).activations for op in ops if _has_bias(trace, op)),
    )


def _has_bias(trace: Trace, op: Op) -> bool:
    """Whether a product adds a bias to each of its outputs."""
    return any(not is_weight(trace, p) for p in op.params)


def _kind(nodes: Sequence[Node]) -> str:
    """What the layers of a row are: one kind of layer, or a module of several."""
    weighted = [n for n in nodes if n.kind in WEIGHTED]
    if len(weighted) > 2 or len({n.kind for n in weighted}) > 1:
        return "module"
    shown = weighted or [n for n in nodes if n.op]
    return row_kind(shown[-1].kind) if shown else ""


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


# how much it counts that a printed cell equals a traced one; of rows that are otherwise alike, the
# one of the same name
_SAME = {"output size": 20, "input size": 20, "": 0, "name": 1, "layer name": 1}
_OTHER = 10
_TYPE = 50  # the type is the one that costlab gives by structure
_NEVER = -10_000


@dataclass(frozen=True)
class _Scores:
    """How well printed and traced rows go together.

    `numbered`: the printed types are of costlab's kind, "inception (3a)", so that another number
    is another row."""

    numbered: bool

    @classmethod
    def of(cls, printed: Sequence[PrintedRow], rows: Sequence[Counted]) -> _Scores:
        types = {row.type for row in rows}
        return cls(any("(" in p.type and p.type in types for p in printed))

    def score(self, printed: PrintedRow, row: Counted) -> int:
        """By structure; under 1: not at all."""
        if printed.type == row.type:
            return _TYPE + _same_cells(printed, row)
        if self.numbered and "(" in printed.type and "(" in row.type:
            return _NEVER
        return _kinds(row_kind(printed.type), row.kind) + _same_cells(printed, row)


def _kinds(printed: str, traced: str) -> int:
    """The same kind, a kind that could be the same, or another."""
    if printed == traced:
        return 20
    return 10 if not printed or not traced or {printed, traced} == {"conv", "module"} else -30


def _same_cells(printed: PrintedRow, row: Counted) -> int:
    """The printed cells, type and counts apart, that equal the traced ones."""
    return sum(
        _SAME.get(key, _OTHER)
        for key, text in printed.cells.items()
        if key not in ("type", "params", "ops")
        and text
        and key in row.texts
        and same_text(key, text, row.texts[key])
    )


def align(printed: Sequence[PrintedRow], rows: Sequence[Counted]) -> list[Counted | None]:
    """For each printed row the traced row that it means (None: none), both kept in order."""
    return _align(printed, rows)[1]


def _align(
    printed: Sequence[PrintedRow], rows: Sequence[Counted]
) -> tuple[int, list[Counted | None]]:
    """The pairing with the greatest sum of scores, and that sum, by dynamic programming from the
    last rows; of equal ones the earliest rows."""
    n, m = len(printed), len(rows)
    rule = _Scores.of(printed, rows)
    score = [[rule.score(p, row) for row in rows] for p in printed]
    best = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            paired = score[i][j] + best[i + 1][j + 1] if score[i][j] > 0 else 0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    found: list[Counted | None] = [None] * n
    i = j = 0
    while i < n and j < m:
        if score[i][j] > 0 and best[i][j] == score[i][j] + best[i + 1][j + 1]:
            found[i] = rows[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            i += 1
    return best[0][0], found


@dataclass(frozen=True)
class Alignment:
    """The traced row of each printed one (None: none), in the table style that fits most rows."""

    style: str
    rows: list[Counted | None]


def align_in_best_style(printed: Sequence[PrintedRow], trace: Trace) -> Alignment:
    """The alignment in the style whose rows are the printed ones; the paper style wins a tie.

    Raises ValueError when no printed row has a counterpart in the trace."""
    found: list[tuple[int, Alignment]] = []
    for style in STYLES:
        score, rows = _align(printed, count_rows(trace, style))
        found.append((score, Alignment(style, rows)))
    score, best = max(found, key=lambda each: each[0])
    if not score:
        raise ValueError(
            "no printed row has a counterpart in the trace: the rows need a type column "
            "(convolution, max pool, inception (3a), ...), or the names that costlab table gives"
        )
    return best
