"""What an operation costs, by the name that an export gives it; sums over the nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...cost import cost_of
from ...trace.cached import once_per_trace
from ...trace.record import Trace


@dataclass(frozen=True)
class Work:
    """`macs`, `flops`, `bytes` read and written, and measured `seconds` (None: not measured)."""

    macs: int
    flops: int
    bytes: int
    seconds: float | None

    @property
    def rate(self) -> float | None:
        """FLOP/s; None where no time was measured."""
        return self.flops / self.seconds if self.seconds else None


# what Model Explorer can colour nodes by: the value of a node, and what it is called
VALUES: dict[str, tuple[str, Callable[[Work], float | None]]] = {
    "macs": ("MACs", lambda work: work.macs),
    "flops": ("FLOPs", lambda work: work.flops),
    "bytes": ("bytes", lambda work: work.bytes),
    "time": ("time (us)", lambda work: None if work.seconds is None else 1e6 * work.seconds),
}


def value_of(trace: Trace, name: str) -> tuple[str, Callable[[Work], float | None]]:
    """What a value of `VALUES` is called, and how to take it. Raises ValueError for time of a trace
    that was not measured."""
    if name == "time" and trace.measured is None:
        raise ValueError(
            f"{trace.provenance['model']} was not measured; give a trace made with costlab trace "
            "MODEL --measure -o FILE, or another value"
        )
    return VALUES[name]


def facts_of(work: Work) -> dict[str, object]:
    """The name and the value of each figure that is known, exact."""
    found = {label: get(work) for label, get in VALUES.values()}
    return {label: value for label, value in found.items() if value is not None}


def work_of(trace: Trace, ops: Iterable[int]) -> Work:
    """What operations of a trace cost together; `ops` are their indices. Integer multiply-adds are
    counted with the others."""
    chosen = frozenset(ops)
    costs = [cost_of(trace, trace.ops[i]) for i in chosen]
    seconds = seconds_of(trace)
    return Work(
        sum(c.macs + c.integer_macs for c in costs),
        sum(c.flops for c in costs),
        sum(c.read + c.written for c in costs),
        sum(seconds.get(i, 0.0) for i in chosen) if trace.measured else None,
    )


@once_per_trace
def seconds_of(trace: Trace) -> dict[int, float]:
    """Index of an operation -> measured seconds of all that stands for it."""
    found: dict[int, float] = {}
    for run in trace.measured.ops if trace.measured else ():
        found[run.of] = found.get(run.of, 0.0) + run.seconds
    return found


def work_of_nodes(trace: Trace) -> dict[str, Work]:
    """Node of the exported graph -> what its operations cost.

    Raises ValueError for a trace of no exported graph."""
    nodes: dict[str, list[int]] = {}
    for i, op in enumerate(trace.ops):
        if op.node and op.of is None:
            nodes.setdefault(op.node, []).append(i)
    if not nodes:
        raise ValueError(
            f"{trace.provenance['model']} is not an exported graph; "
            "give a .pt2 or .onnx file, or use model-explorer-graph, which takes any model"
        )
    return {node: work_of(trace, ops) for node, ops in nodes.items()}
