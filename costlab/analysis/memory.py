"""Peak memory by liveness: which tensors are alive while each operation runs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from .._result import Charted
from ..cost import OPTIMIZERS, VIEWS, size_of
from ..tables import Column, Sheet
from ..trace import Trace

LARGEST = 8  # tensors listed at the peak


@dataclass(frozen=True)
class Held:
    """A tensor alive at the peak: `what` made it (module path and operation), `shape`, and `size`
    in bytes."""

    what: str
    shape: tuple[int, ...]
    size: int


@dataclass(frozen=True)
class Memory(Charted):
    """Bytes of a run by liveness.

    Attributes:
        params, buffers, inputs: there all the time. `buffers` are tensors that the forward pass
            reads and did not make: registered buffers, and constants.
        live: what else is alive while each operation of the trace runs.
        peak: the most of `live`, at operation `at` of module `place`.
        least: the peak if every tensor were freed after its last use.
        held: the largest tensors at the peak.
        trained: whether it is a training step.
        gradients: of the params, part of `live` from where they are made.
        output_gradients: the gradient that the backward pass starts from.
        optimizers: the state of each optimizer, which comes on top.
        measured: the allocator's peak beyond params, buffers and inputs, where the trace has it.
    """

    model: str
    params: int
    buffers: int
    inputs: int
    live: tuple[int, ...]
    peak: int
    at: int
    place: str
    least: int
    held: tuple[Held, ...]
    trained: bool
    gradients: int
    optimizers: dict[str, int]
    measured: int | None = None
    output_gradients: int = 0

    chart_kind = "memory"

    @property
    def whole(self) -> int:
        """Everything at the peak: params, buffers, inputs and what is alive; in training with the
        gradients, without an optimizer."""
        return self.params + self.buffers + self.inputs + self.output_gradients + self.peak

    @property
    def sheet(self) -> Sheet:
        """A row a part, then the largest tensors at the peak."""
        return Sheet(
            f"{self.model}: memory",
            (Column("what"), Column("bytes", "bytes"), Column("part")),
            tuple(_rows(self)),
            _notes(self),
            {"what": "total at the peak", "bytes": self.whole},
            facts={"peak": self.peak, "least": self.least, "measured": self.measured},
        )

    @property
    def curve(self) -> Sheet:
        """A row an operation: what is alive while it runs."""
        return Sheet(
            f"{self.model}: memory over the run",
            (Column("operation", "count"), Column("alive", "bytes")),
            tuple({"operation": i, "alive": v} for i, v in enumerate(self.live)),
            ("beyond params, buffers and inputs",),
        )


def _rows(m: Memory):
    yield {"what": "params", "bytes": m.params}
    if m.buffers:
        yield {"what": "buffers and constants", "bytes": m.buffers}
    yield {"what": "inputs", "bytes": m.inputs}
    if m.output_gradients:
        yield {"what": "gradient of the outputs", "bytes": m.output_gradients}
    yield {"what": f"alive at the peak, in {m.place or 'the model'}", "bytes": m.peak}
    for h in m.held:
        shape = "x".join(map(str, h.shape))
        yield {"what": f"  {h.what} {shape}", "bytes": h.size, "part": "of the peak"}
    if m.trained:
        yield {"what": "gradients of the params", "bytes": m.gradients, "part": "once all are made"}
        for name, size in m.optimizers.items():
            yield {"what": f"optimizer state, {name}", "bytes": size, "part": "on top"}


def _notes(m: Memory) -> tuple[str, ...]:
    notes = (
        "the peak of a training step, with the gradients of the params that are made by then; the "
        "optimizer's state comes on top"
        if m.trained
        else "the peak of inference",
        "a tensor is alive until its last use, and until every module that was given it returns; "
        f"freed at the last use the peak would be {m.least:,} bytes",
        "not in it: kernels' own work space, what a fused kernel keeps for its backward pass, the "
        "allocator's rounding, and tensors that the code holds in variables after their last use",
    )
    if m.measured is None:
        return notes
    ratio = f", {m.measured / m.peak:.2f} times the estimate" if m.peak else ""
    return *notes, (
        f"measured: {m.measured:,} bytes at the peak beyond params, buffers and inputs{ratio}"
    )


def _spans(ops):
    """For each operation the first and last index of each module call around it, innermost last."""
    spans: list[list[list[int]]] = []
    open_: list[
        tuple[str, int, list[int]]
    ] = []  # (path, call of its own operations or -1, [first, last])
    for i, op in enumerate(ops):
        parts = op.module.split(".") if op.module else []
        paths = [".".join(parts[:k]) for k in range(len(parts) + 1)]
        keep = 0
        while keep < len(open_) and keep < len(paths) and open_[keep][0] == paths[keep]:
            own = keep == len(paths) - 1
            if own and open_[keep][1] not in (-1, op.call):
                break  # the same module, called again
            keep += 1
        del open_[keep:]
        for path in paths[keep:]:
            open_.append((path, -1, [i, i]))
        path, _, span = open_[len(paths) - 1]
        open_[len(paths) - 1] = (path, op.call, span)
        for _, _, span in open_:
            span[1] = i
        spans.append([span for _, _, span in open_])
    return spans


def _alias(op) -> bool:
    return op.name in VIEWS or op.name.endswith("_") and bool(op.inputs)


class _Liveness:
    """Which memory each tensor is in, and from which operation to which it is alive.

    `root`: tensor -> the tensor that its memory was made as; `born`: root -> the operation that
    makes it (-1: an input); `last`: root -> its last use; `kept`: root -> the same, or where the
    outermost module that was given it returns, if that is later."""

    def __init__(self, trace: Trace):
        self.trace = trace
        self.root = list(range(len(trace.tensors)))
        self.born = dict.fromkeys(trace.inputs, -1)
        for i, op in enumerate(trace.ops):
            for out in op.outputs:
                if _alias(op) and op.inputs:
                    self.root[out] = self.root[op.inputs[0]]
                else:
                    self.born.setdefault(out, i)
        self.params = self.roots(p.tensor for p in trace.params)
        self.last: dict[int, int] = {}
        self.kept: dict[int, int] = {}
        self._find_last_uses()
        self._keep_results()

    def roots(self, tensors) -> set[int]:
        return {self.root[i] for i in tensors}

    def _find_last_uses(self) -> None:
        spans = _spans(self.trace.ops)
        for i, op in enumerate(self.trace.ops):
            for r in map(self.root.__getitem__, (*op.inputs, *op.outputs)):
                self.last[r] = i
                self.kept[r] = max(self.kept.get(r, i), i)
                if op.of is not None:
                    continue
                # the outermost module that was called with it ends last
                end = next((end for first, end in spans[i] if self.born.get(r, -1) < first), i)
                self.kept[r] = max(self.kept[r], end)

    def _keep_results(self) -> None:
        """Outputs, and gradients that no operation takes, are alive to the end."""
        backward = self.trace.backward
        taken = self.roots(i for op in backward if not _alias(op) for i in op.inputs)
        gradients = self.roots(t for op in backward for t in op.outputs) - taken
        for r in self.roots(self.trace.outputs) | gradients:
            self.last[r] = self.kept[r] = len(self.trace.ops) - 1

    def made(self):
        """(root, the operation that makes it) of everything that the run makes."""
        return (
            (r, i)
            for r, i in self.born.items()
            if i >= 0 and r == self.root[r] and r not in self.params
        )

    def curve(self, until: dict[int, int]) -> list[int]:
        """Bytes alive while each operation runs, each tensor `until` then."""
        change = [0] * (len(self.trace.ops) + 1)
        for r, i in self.made():
            change[i] += size_of(self.trace, r)
            change[until.get(r, i) + 1] -= size_of(self.trace, r)
        return list(accumulate(change[:-1]))

    def largest(self, at: int) -> tuple[Held, ...]:
        """The largest tensors that are alive while an operation runs."""
        size = lambda r: size_of(self.trace, r)  # noqa: E731
        alive = [r for r, i in self.made() if i <= at <= self.kept.get(r, i)]
        maker = {t: op for op in reversed(self.trace.ops) for t in op.outputs}
        return tuple(
            Held(
                f"{maker[r].module or 'the model'} ({maker[r].name.removeprefix('aten.')})",
                self.trace.tensors[r].shape,
                size(r),
            )
            for r in sorted(alive, key=size, reverse=True)[:LARGEST]
        )

    def read_by(self, ops) -> set[int]:
        """What operations read that the run did not make, params apart."""
        read = self.roots(i for op in ops for i in op.inputs)
        return {r for r in read if r not in self.born} - self.params


def memory(trace: Trace) -> Memory:
    """The memory of a trace by liveness; of a training step when the trace has the backward pass
    (then without the optimizer's step)."""
    found = _Liveness(trace)
    sizes = lambda roots: sum(size_of(trace, r) for r in roots)  # noqa: E731
    live, least = found.curve(found.kept), max(found.curve(found.last), default=0)
    at = max(range(len(live)), key=live.__getitem__, default=0)
    static = found.read_by(trace.forward)
    gradients = sizes(found.roots(trace.params[i].tensor for i in trace.gradients))
    return Memory(
        model=trace.provenance["model"],
        params=sizes(found.params),
        buffers=sizes(static),
        inputs=sizes(found.roots(trace.inputs)),
        live=tuple(live),
        peak=live[at] if live else 0,
        at=at,
        place=trace.ops[at].module if trace.ops else "",
        least=least,
        held=found.largest(at),
        trained=trace.trained,
        gradients=gradients,
        optimizers={name: n * gradients for name, n in OPTIMIZERS.items()} if trace.trained else {},
        measured=trace.measured.peak if trace.measured and not trace.trained else None,
        output_gradients=sizes(found.read_by(trace.backward) - static),
    )
