"""The estimate of a run's memory."""

from __future__ import annotations

from collections.abc import Iterable

from ...cost import OPTIMIZERS, size_of
from ...tables import caveats
from ...trace import Trace
from ...trace.cached import once_per_trace
from .liveness import Liveness
from .result import Memory
from .stages import stages


@once_per_trace
def memory(trace: Trace) -> Memory:
    """The memory of a trace by liveness; of a training step when the trace has the backward pass
    (then without the optimizer's step)."""
    found = Liveness(trace)

    def sizes(roots: Iterable[int]) -> int:
        return sum(size_of(trace, r) for r in roots)

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
        largest=found.largest(at),
        trained=trace.trained,
        gradients=gradients,
        optimizers={name: n * gradients for name, n in OPTIMIZERS.items()} if trace.trained else {},
        measured=trace.measured.peak if trace.measured and not trace.trained else None,
        output_gradients=sizes(found.read_by(trace.backward) - static),
        stages=stages(trace),
        caveats=caveats(trace),
    )
