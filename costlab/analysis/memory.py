"""Peak memory by liveness: which tensors are alive while each operation runs, in inference and in a training step."""

from __future__ import annotations

from dataclasses import dataclass

from ..cost import OPTIMIZERS, VIEWS, size_of
from ..tables import Column, Sheet
from ..trace import Trace

LARGEST = 8  # tensors listed at the peak


@dataclass(frozen=True)
class Held:
    """A tensor alive at the peak: `what` made it (module path and operation, or "input"), `shape`, `size` in bytes."""

    what: str
    shape: tuple[int, ...]
    size: int


@dataclass(frozen=True)
class Memory:
    """Bytes. `params`, `buffers` (what the model holds beside its parameters) and `inputs` are there all the time; `live` is what else
    is alive while each operation of the trace runs, `peak` the most of it, at operation `at` of module `place`; `least` the peak if
    every tensor were freed after its last use; `held` the largest tensors at the peak. In training `gradients` of the parameters
    and `optimizers`, the state of each, come on top. `measured`: the allocator's peak beyond params, buffers and inputs, where the trace has it."""

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

    @property
    def whole(self) -> int:
        """Everything at the peak: params, buffers, inputs and what is alive (in training with the gradients, without an optimizer)."""
        return self.params + self.buffers + self.inputs + self.peak

    @property
    def sheet(self) -> Sheet:
        """A row a part, then the largest tensors at the peak."""
        rows = [
            {"what": "params", "bytes": self.params},
            {"what": "buffers", "bytes": self.buffers},
            {"what": "inputs", "bytes": self.inputs},
            {"what": f"alive at the peak, in {self.place or 'the model'}", "bytes": self.peak},
        ]
        rows += [
            {
                "what": f"  {h.what} {'x'.join(map(str, h.shape))}",
                "bytes": h.size,
                "part": "of the peak",
            }
            for h in self.held
        ]
        if self.trained:
            rows += [
                {"what": f"optimizer state, {k}", "bytes": v} for k, v in self.optimizers.items()
            ]
        notes = (
            "the peak of a training step, gradients of the params included; the optimizer's state comes on top"
            if self.trained
            else "the peak of inference",
            f"a tensor is alive until its last use, and until every module that was given it returns; freed at the last use the peak would be {self.least:,} bytes",
            "not in it: kernels' own work space, what a fused kernel keeps for its backward pass, the allocator's rounding, and tensors that the code "
            "holds in variables after their last use",
        )
        if self.measured is not None:
            ratio = f", {self.measured / self.peak:.2f} times the estimate" if self.peak else ""
            notes += (
                f"measured: {self.measured:,} bytes at the peak beyond params, buffers and inputs{ratio}",
            )
        return Sheet(
            f"{self.model}: memory",
            (Column("what"), Column("bytes", "bytes"), Column("part")),
            tuple(rows),
            notes,
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


def _spans(ops):
    """For each operation the first and last index of every module call around it, the innermost last."""
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


def memory(trace: Trace) -> Memory:
    """The memory of a trace by liveness; of a training step when the trace has the backward pass (then without the optimizer's step)."""
    ops = trace.ops
    root = list(range(len(trace.tensors)))
    born = {i: -1 for i in trace.inputs}
    for i, op in enumerate(ops):
        for out in op.outputs:
            if _alias(op) and op.inputs:
                root[out] = root[op.inputs[0]]
            elif out not in born:
                born[out] = i
    params = {root[p.tensor] for p in trace.params}
    inputs = {root[i] for i in trace.inputs}
    used = {root[i] for op in ops for i in op.inputs}
    static = {r for r in used if r not in born} - params
    last, kept = {}, {}  # root -> last use; and until the callers' modules return
    spans = _spans(ops)
    for i, op in enumerate(ops):
        for t in (*op.inputs, *op.outputs):
            r = root[t]
            last[r] = i
            kept[r] = max(kept.get(r, i), i)
            if op.of is None:
                for first, end in spans[i]:
                    if born.get(r, -1) < first:
                        kept[r] = max(kept[r], end)
                        break  # the outermost of them ends last
    end = len(ops) - 1
    gradients = {root[t] for op in trace.backward for t in op.outputs} - {
        root[i] for op in trace.backward if not _alias(op) for i in op.inputs
    }
    for r in {root[i] for i in trace.outputs} | gradients:
        last[r] = kept[r] = end
    whose = {t: op for op in reversed(ops) for t in op.outputs}

    def curve(until):
        change = [0] * (len(ops) + 1)
        for r, i in born.items():
            if i >= 0 and r == root[r] and r not in params:
                change[i] += size_of(trace, r)
                change[until.get(r, i) + 1] -= size_of(trace, r)
        live, total = [], 0
        for step in change[:-1]:
            total += step
            live.append(total)
        return live

    live, least = curve(kept), max(curve(last), default=0)
    at = max(range(len(live)), key=live.__getitem__, default=0)
    alive = sorted(
        (
            r
            for r, i in born.items()
            if 0 <= i <= at <= kept.get(r, i) and r == root[r] and r not in params
        ),
        key=lambda r: -size_of(trace, r),
    )
    held = tuple(
        Held(
            f"{whose[r].module or 'the model'} ({whose[r].name.removeprefix('aten.')})",
            trace.tensors[r].shape,
            size_of(trace, r),
        )
        for r in alive[:LARGEST]
    )
    sizes = lambda roots: sum(size_of(trace, r) for r in roots)  # noqa: E731
    grads = sizes({root[trace.params[i].tensor] for i in trace.gradients})
    measured = getattr(trace.measured, "peak", None) if not trace.trained else None
    return Memory(
        trace.provenance["model"],
        sizes(params),
        sizes(static),
        sizes(inputs),
        tuple(live),
        live[at] if live else 0,
        at,
        ops[at].module if ops else "",
        least,
        held,
        trace.trained,
        grads,
        {k: n * grads for k, n in OPTIMIZERS.items()} if trace.trained else {},
        measured,
    )
