"""Rows that are not places of the model but kinds of what runs: every operation is in one of
them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..cost import VIEWS, forms_of_params, operator_of
from ..graph import Node
from ..trace.record import Op, Trace
from .groups import Group


@dataclass(frozen=True)
class Partition:
    """A way to share out the operations of the forward pass.

    Attributes:
        column: the key of the cell that names a row.
        kind: (trace, operation) -> the value of that cell.
        call: what its calls are counted by: operations with the same are one.
        columns: keys of `COLUMNS` that its tables have.
        means: what the rows are, for the notes.
    """

    column: str
    kind: Callable[[Trace, Op], str]
    call: Callable[[Op], object]
    columns: tuple[str, ...]
    means: str


def _module_type(trace: Trace, op: Op) -> str:
    return op.module_type


def _module_call(op: Op) -> tuple[str, int]:
    return op.module, op.call


PARTITIONS = {
    "operator": Partition(
        "operator",
        operator_of,
        id,
        ("FLOPs", "bytes"),
        "rows by operator: each operation is in one row",
    ),
    "module": Partition(
        "type",
        _module_type,
        _module_call,
        ("modules", "FLOPs", "bytes"),
        "rows by type of module: each operation is in the row of the innermost module that runs it",
    ),
}


def partitioned(trace: Trace, nodes: Sequence[Node], by: str) -> list[Group]:
    """A group for each kind of operation, in the order in which they first run."""
    partition = PARTITIONS[by]
    layer = {id(n.op): n for n in nodes if n.op}
    found: dict[str, list[Op]] = {}
    calls: dict[str, set[object]] = {}
    for op, user in _with_users(trace):
        kind = partition.kind(trace, user)
        found.setdefault(kind, []).append(op)
        calls.setdefault(kind, set()).add(partition.call(user))
    return [
        Group(
            kind,
            {partition.column: kind, "calls": len(calls[kind])},
            [layer[i] for i in map(id, ops) if i in layer],
            ops,
        )
        for kind, ops in found.items()
    ]


def _with_users(trace: Trace) -> Iterator[tuple[Op, Op]]:
    """Each operation with the one that it is counted with: a view of a param with what uses it, so
    that the params of a linear layer, whose weight is transposed first, are its own; any other
    with itself."""
    params = forms_of_params(trace)
    first_use: dict[int, Op] = {}  # of a tensor
    pairs: list[tuple[Op, Op]] = []
    for op in reversed(trace.forward):
        user = op
        if op.name in VIEWS and any(i in params for i in op.inputs):
            user = next((first_use[i] for i in op.outputs if i in first_use), op)
        first_use.update(dict.fromkeys(op.inputs, user))
        pairs.append((op, user))
    return reversed(pairs)
