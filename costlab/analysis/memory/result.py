"""The memory of a run, and the sheets that show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..._result import Charted
from ...tables import Column, Sheet
from .notes import live_tensor, memory_notes


@dataclass(frozen=True)
class LiveTensor:
    """A tensor alive at the peak: `module` (a path, "" for the model) and `op` made it, `shape`,
    and `size` in bytes."""

    module: str
    op: str
    shape: tuple[int, ...]
    size: int


@dataclass(frozen=True)
class Stage:
    """A module that runs from operation `first` to operation `last` of the trace."""

    name: str
    first: int
    last: int

    @property
    def middle(self) -> float:
        """Between its first and its last operation."""
        return (self.first + self.last) / 2


@dataclass(frozen=True)
class Memory(Charted):
    """Bytes of a run by liveness.

    Attributes:
        params, buffers, inputs: alive all the time. `buffers` are tensors that the forward pass
            reads and did not make: registered buffers, and constants.
        live: what else is alive while each operation of the trace runs.
        peak: the most of `live`, at operation `at` of module `place`.
        least: the peak if every tensor were freed after its last use.
        largest: the largest tensors at the peak.
        trained: whether it is a training step.
        gradients: of the params, part of `live` from where they are made.
        output_gradients: the gradient that the backward pass starts from.
        stages: the modules that run one after another.
        optimizers: the state of each optimizer, which is extra.
        measured: the allocator's peak beyond params, buffers and inputs, where the trace has it.
        caveats: notes on how the model was built and traced."""

    model: str
    params: int
    buffers: int
    inputs: int
    live: tuple[int, ...]
    peak: int
    at: int
    place: str
    least: int
    largest: tuple[LiveTensor, ...]
    trained: bool
    gradients: int
    optimizers: dict[str, int]
    measured: int | None = None
    output_gradients: int = 0
    stages: tuple[Stage, ...] = ()
    caveats: tuple[str, ...] = ()

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
            memory_notes(self),
            {"what": "total at the peak", "bytes": self.whole},
            facts={"peak": self.peak, "least": self.least, "measured": self.measured},
        )

    @property
    def chart_numbers(self) -> Sheet:
        """`curve`."""
        return self.curve

    @property
    def curve(self) -> Sheet:
        """One row per operation: what is alive while it runs."""
        return Sheet(
            f"{self.model}: memory over the run",
            (Column("operation", "count"), Column("alive", "bytes")),
            tuple({"operation": i, "alive": v} for i, v in enumerate(self.live)),
            ("beyond params, buffers and inputs",),
        )


def _rows(m: Memory) -> Iterator[dict[str, Any]]:
    yield {"what": "params", "bytes": m.params}
    if m.buffers:
        yield {"what": "buffers and constants", "bytes": m.buffers}
    yield {"what": "inputs", "bytes": m.inputs}
    if m.output_gradients:
        yield {"what": "gradient of the outputs", "bytes": m.output_gradients}
    yield {"what": f"alive at the peak, in {m.place or 'the model'}", "bytes": m.peak}
    for tensor in m.largest:
        yield {"what": live_tensor(tensor), "bytes": tensor.size, "part": "of the peak"}
    if m.trained:
        yield {"what": "gradients of the params", "bytes": m.gradients, "part": "at the end"}
        for name, size in m.optimizers.items():
            yield {"what": f"optimizer state, {name}", "bytes": size, "part": "extra"}
