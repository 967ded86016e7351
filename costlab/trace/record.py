"""The immutable record of one run. Imports nothing but the standard library, so a saved trace opens
without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from .._narrow import StrPath
from .facts import Attributes, Conditions, Provenance


KEPT = "_kept"  # of a trace: what was worked out from it, see `cached`


class TraceError(RuntimeError):
    """The model could not be run; the message says where and what to try."""


class TraceFileError(ValueError):
    """A file that is not a readable trace; the message is one line that says what to do."""


@dataclass(frozen=True)
class Tensor:
    """A value that flowed between operations. `shape` in elements, `dtype` as torch spells it
    ("float32"); `distinct`: elements that are in memory, where an expanded tensor shows some of
    them many times (None: all are)."""

    shape: tuple[int, ...]
    dtype: str
    distinct: int | None = None

    @property
    def numel(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Param:
    """One parameter object. `names` holds every registered name (several when tied); `tensor` its
    index; `trainable`: whether it requires a gradient (None: in traces of before 2026-11-27)."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    tensor: int
    trainable: bool | None = None

    @property
    def numel(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Source:
    """A line of the model's code: `file` from the root of its project or package
    ("nets/backbone.py"), `line` from 1, and the line that called the function it is in."""

    file: str
    line: int
    caller: Source | None = None

    @property
    def stack(self) -> tuple[Source, ...]:
        """The lines that were running, this one last."""
        found: list[Source] = []
        line: Source | None = self
        while line is not None:
            found.append(line)
            line = line.caller
        return tuple(reversed(found))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Op:
    """One executed operation. `inputs`, `outputs`, `params` index `Trace.tensors` / `Trace.params`;
    `call` counts from 0 the calls of `module`; `attrs` are the non-tensor arguments by schema name;
    `of` is None in the forward pass, and in the backward pass the index of the operation whose
    gradient it works out (-1: not known); `recomputed`: there it runs a part of the forward pass
    again, because activations were checkpointed; `source` is the line that ran it (None: not
    known), and `node` the node of the ONNX graph or exported program that it is of ("": of none).
    Neither of these two is part of what an operation did, so that they make no two operations
    differ."""

    name: str
    module: str
    module_type: str
    call: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    params: tuple[int, ...]
    attrs: Attributes = field(default_factory=dict)
    of: int | None = None
    recomputed: bool = False
    source: Source | None = field(default=None, compare=False)
    node: str = field(default="", compare=False)


@dataclass(frozen=True)
class Timing:
    """Seconds: the `median` of `runs`, its 95% bootstrap interval `low` to `high`, and `spread`,
    the interquartile range."""

    median: float
    low: float
    high: float
    spread: float
    runs: int


@dataclass(frozen=True)
class OpTime:
    """An operation as it ran when it was measured, fused forms included. `of` indexes the operation
    of the trace that it stands for (-1: none); `seconds` of its kernels, a median over runs;
    `bytes` of the tensors that it read and wrote; `live` bytes allocated after it and `peak` at
    most while it ran, both beyond what was there before the run (None where the allocator was not
    asked)."""

    name: str
    of: int
    seconds: float
    bytes: int
    live: int | None = None
    peak: int | None = None


@dataclass(frozen=True)
class ModuleTime:
    """One module call alone: `warm` on the same buffers, `cold` with buffers rotated past the last
    cache (None: they did not fit), `host` seconds that the host takes to issue it."""

    path: str
    call: int
    warm: Timing
    cold: Timing | None
    host: float


@dataclass(frozen=True)
class Account:
    """What the device did during one run, in seconds; each a median over the profiled runs.

    `span`: from the start of the first kernel to the end of the last. `busy`: at least one kernel
    ran. `kernel_seconds`: the durations of all kernels added up, so that what ran side by side
    counts twice. `kernels`: how many ran. `replayed`: the kernels were timed in a replayed CUDA
    graph, without the host's work between them; False: in a call from Python."""

    span: float
    busy: float
    kernel_seconds: float
    kernels: int
    replayed: bool

    @property
    def idle(self) -> float:
        """Seconds between the first and the last kernel in which none ran."""
        return self.span - self.busy

    @property
    def overlap(self) -> float:
        """Seconds of kernels that ran while another one did."""
        return self.kernel_seconds - self.busy


@dataclass(frozen=True)
class Measured:
    """What a run took. `total`: the whole model without the host's work where that can be had (a
    CUDA graph replayed), `eager`: called from Python, `compiled`: by torch.compile where asked for;
    `ops` in order; `modules` alone; `other`: seconds of kernels that belong to no operation; `peak`
    bytes that the allocator held at most beyond params, buffers and inputs; `ceilings`: FLOP/s by
    dtype and "bandwidth" in bytes/s, measured in the same run; `conditions`: device, dtype, layout,
    clocks and everything else that a reader must know; `account`: what the device did meanwhile
    (None: in traces of before 2026-11-27)."""

    total: Timing
    eager: Timing
    ops: tuple[OpTime, ...]
    modules: tuple[ModuleTime, ...]
    other: float
    peak: int | None
    ceilings: dict[str, float]
    conditions: Conditions
    compiled: Timing | None = None
    account: Account | None = None


@dataclass(frozen=True)
class Trace:
    """What one run of a model did: a dataflow graph in execution order.

    Attributes:
        ops: operations in execution order.
        tensors: shape and dtype of each tensor; everything else names tensors by their index here.
        params: registered parameters, whether or not they are used.
        inputs, outputs: tensors that the model took and gave.
        provenance: model, inputs, device, versions and date.
        saved: tensors kept for the backward pass.
        measured: times in seconds and memory in bytes; None where nothing was measured.
        gradients: indices in `params` of those that got a gradient in the backward pass.
    """

    ops: tuple[Op, ...]
    tensors: tuple[Tensor, ...]
    params: tuple[Param, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    provenance: Provenance
    saved: tuple[int, ...] = ()
    measured: Measured | None = None
    gradients: tuple[int, ...] = ()

    def __getstate__(self) -> dict[str, object]:
        """The fields alone: what was worked out from them is worked out again in a copy."""
        return {name: value for name, value in vars(self).items() if name != KEPT}

    @property
    def forward(self) -> tuple[Op, ...]:
        """The operations of the forward pass."""
        return tuple(op for op in self.ops if op.of is None) if self.trained else self.ops

    @property
    def backward(self) -> tuple[Op, ...]:
        """The operations of the backward pass; none unless it was traced for training."""
        return tuple(op for op in self.ops if op.of is not None) if self.trained else ()

    @property
    def trained(self) -> bool:
        """Whether the backward pass was traced too."""
        return bool(self.ops) and self.ops[-1].of is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes from building and tracing the model, such as a fallback to the CPU."""
        return tuple(self.provenance.get("notes", ()))

    def __repr__(self) -> str:
        model, device = self.provenance.get("model"), self.provenance.get("device")
        return f"<Trace of {model!r} on {device}, {len(self.ops)} operations>"

    def shapes(self, op: Op) -> list[tuple[int, ...]]:
        """Shapes of the op's tensor inputs, in call order."""
        return [self.tensors[i].shape for i in op.inputs]

    def save(self, path: StrPath) -> None:
        """Write the trace (beside, then renamed). Raises OSError when the path cannot be written,
        TraceFileError for a trace that is too large to be read again."""
        from .files import write_trace

        write_trace(self, path)

    @classmethod
    def load(cls, path: StrPath) -> Trace:
        """Read a saved trace. Raises TraceFileError (one clear line) for anything that is not
        one."""
        from .files import read_trace

        return read_trace(path)
