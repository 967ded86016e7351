"""The immutable record of one run. Imports nothing but the standard library, so a saved trace opens without torch.

File format (version 1): gzip-compressed UTF-8 JSON, one object with `format` = "costlab-trace", `version`,
`provenance`, `count` (of operations), `tensors` ([shape, dtype] each, and of an expanded one the elements in memory), `params` ([names, shape, dtype, tensor]), `ops`
([name, module, module_type, call, inputs, outputs, params, attrs], and for a backward operation `of`), `inputs`, `outputs`,
`saved` (tensors kept for the backward pass), `gradients` (parameters that got one), and `measured` (the fields of `Measured`) where the run was measured.
"""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import asdict, dataclass, field
from math import prod

from ._files import write_file

FORMAT, VERSION = "costlab-trace", 1


class TraceFileError(ValueError):
    """A file that is not a readable trace; the message is one line that says what to do."""


@dataclass(frozen=True)
class Tensor:
    """A value that flowed between operations. `shape` in elements, `dtype` as torch spells it ("float32"); `distinct`: elements that are in
    memory, where an expanded tensor shows some of them many times (None: all are)."""

    shape: tuple[int, ...]
    dtype: str
    distinct: int | None = None

    @property
    def numel(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Param:
    """One parameter object. `names` holds every registered name (several when tied); `tensor` its index."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    tensor: int

    @property
    def numel(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Op:
    """One executed operation. `inputs`, `outputs`, `params` index `Trace.tensors` / `Trace.params`;
    `call` counts from 0 the calls of `module`; `attrs` are the non-tensor arguments by schema name; `of` is None in the
    forward pass, and in the backward pass the index of the operation whose gradient it works out (-1: not known)."""

    name: str
    module: str
    module_type: str
    call: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    params: tuple[int, ...]
    attrs: dict = field(default_factory=dict)
    of: int | None = None


@dataclass(frozen=True)
class Timing:
    """Seconds: the `median` of `runs`, its 95% bootstrap interval `low` to `high`, and `spread`, the interquartile range."""

    median: float
    low: float
    high: float
    spread: float
    runs: int


@dataclass(frozen=True)
class OpTime:
    """An operation as it ran when it was measured, fused forms included. `of` indexes the operation of the trace that it stands for (-1:
    none); `seconds` of its kernels, a median over runs; `bytes` of the tensors that it read and wrote; `live` bytes allocated after it and `peak` at most while it ran, both
    beyond what was there before the run (None where the allocator was not asked)."""

    name: str
    of: int
    seconds: float
    bytes: int
    live: int | None = None
    peak: int | None = None


@dataclass(frozen=True)
class ModuleTime:
    """One module call alone: `warm` on the same buffers, `cold` with buffers rotated past the last cache (None: they did not fit),
    `host` seconds that the host takes to issue it."""

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
    """What a run took. `total`: the whole model without the host's work where that can be had (a CUDA graph replayed), `eager`: called
    from Python, `compiled`: by torch.compile where asked for; `ops` in order; `modules` alone; `other`: seconds of kernels that belong to
    no operation; `peak` bytes that the allocator held at most beyond params, buffers and inputs; `ceilings`: FLOP/s by dtype and "bandwidth" in
    bytes/s, measured in the same run; `conditions`: device, dtype, layout, clocks and everything else that a reader must know; `account`: what
    the device did meanwhile (None: in traces of before 2026-11-27)."""

    total: Timing
    eager: Timing
    ops: tuple[OpTime, ...]
    modules: tuple[ModuleTime, ...]
    other: float
    peak: int | None
    ceilings: dict
    conditions: dict
    compiled: Timing | None = None
    account: Account | None = None

    @classmethod
    def from_json(cls, doc: dict) -> Measured:
        """From what `dataclasses.asdict` gave. Raises KeyError or TypeError for anything else."""
        timing = lambda d: None if d is None else Timing(**d)  # noqa: E731
        return cls(
            timing(doc["total"]),
            timing(doc["eager"]),
            tuple(OpTime(**o) for o in doc["ops"]),
            tuple(
                ModuleTime(m["path"], m["call"], timing(m["warm"]), timing(m["cold"]), m["host"])
                for m in doc["modules"]
            ),
            doc["other"],
            doc["peak"],
            doc["ceilings"],
            doc["conditions"],
            timing(doc.get("compiled")),
            Account(**doc["account"]) if doc.get("account") else None,
        )


def _tuples(value):
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Trace:
    """What one run of a model did: a dataflow graph in execution order, with provenance. `saved` tensors are kept for the backward pass,
    and `gradients` are the parameters that got one there."""

    ops: tuple[Op, ...]
    tensors: tuple[Tensor, ...]
    params: tuple[Param, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    provenance: dict
    saved: tuple[int, ...] = ()
    measured: Measured | None = None
    gradients: tuple[int, ...] = ()

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

    def shapes(self, op: Op) -> list[tuple[int, ...]]:
        """Shapes of the op's tensor inputs, in call order."""
        return [self.tensors[i].shape for i in op.inputs]

    def save(self, path) -> None:
        """Write the trace (beside, then renamed). Raises OSError when the path cannot be written."""
        doc = {
            "format": FORMAT,
            "version": VERSION,
            "provenance": self.provenance,
            "count": len(self.ops),
            "tensors": [
                [t.shape, t.dtype, *([] if t.distinct is None else [t.distinct])]
                for t in self.tensors
            ],
            "params": [[p.names, p.shape, p.dtype, p.tensor] for p in self.params],
            "ops": [
                [
                    o.name,
                    o.module,
                    o.module_type,
                    o.call,
                    o.inputs,
                    o.outputs,
                    o.params,
                    o.attrs,
                    *([] if o.of is None else [o.of]),
                ]
                for o in self.ops
            ],
            "inputs": self.inputs,
            "outputs": self.outputs,
            "saved": self.saved,
            "gradients": self.gradients,
            **({"measured": asdict(self.measured)} if self.measured else {}),
        }
        data = gzip.compress(json.dumps(doc, separators=(",", ":")).encode(), mtime=0)
        write_file(path, data)

    @classmethod
    def load(cls, path) -> Trace:
        """Read a saved trace. Raises TraceFileError (one clear line) for anything that is not one."""
        path = os.fspath(path)
        try:
            with open(path, "rb") as f:
                doc = json.loads(gzip.decompress(f.read()))
        except OSError as e:
            if isinstance(e, gzip.BadGzipFile):
                raise TraceFileError(
                    f"{path} is not a costlab trace; make one with `costlab trace MODEL -o FILE`"
                ) from None
            raise TraceFileError(f"cannot read {path}: {e.strerror or e}") from None
        except Exception:  # a cut or damaged stream fails in gzip, zlib, the decoder or json
            raise TraceFileError(f"{path} is damaged or cut short; trace the model again") from None
        if not isinstance(doc, dict) or doc.get("format") != FORMAT:
            raise TraceFileError(
                f"{path} is not a costlab trace; make one with `costlab trace MODEL -o FILE`"
            )
        if doc.get("version") != VERSION:
            raise TraceFileError(
                f"{path} has trace format {doc.get('version')}, this costlab reads {VERSION}; update costlab"
            )
        try:
            made = cls(
                tuple(
                    Op(
                        n,
                        m,
                        mt,
                        c,
                        tuple(i),
                        tuple(o),
                        tuple(p),
                        {k: _tuples(v) for k, v in a.items()},
                        *of,
                    )
                    for n, m, mt, c, i, o, p, a, *of in doc["ops"]
                ),
                tuple(Tensor(tuple(s), *rest) for s, *rest in doc["tensors"]),
                tuple(Param(tuple(n), tuple(s), d, t) for n, s, d, t in doc["params"]),
                tuple(doc["inputs"]),
                tuple(doc["outputs"]),
                doc["provenance"],
                tuple(doc.get("saved", ())),
                Measured.from_json(doc["measured"]) if doc.get("measured") else None,
                tuple(doc.get("gradients", ())),
            )
            made._check(doc.get("count"))
            return made
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise TraceFileError(f"{path} is damaged or cut short; trace the model again") from None

    def _check(self, count) -> None:
        """Raise ValueError for what no tracer wrote: indices without a target, sizes that are no numbers, missing provenance."""

        def need(fine):
            if not fine:
                raise ValueError

        known, params = range(len(self.tensors)), range(len(self.params))
        need(count == len(self.ops))
        need(
            all(type(n) is int and n >= 0 for t in self.tensors for n in t.shape)
            and all(isinstance(t.dtype, str) for t in self.tensors)
        )
        need(
            all(p.tensor in known and p.shape == self.tensors[p.tensor].shape for p in self.params)
        )
        need(
            all(i in known for i in (*self.inputs, *self.outputs, *self.saved))
            and all(i in params for i in self.gradients)
        )
        for o in self.ops:
            need(
                all(i in known for i in (*o.inputs, *o.outputs))
                and all(i in params for i in o.params)
            )
            need(
                isinstance(o.name, str)
                and isinstance(o.module, str)
                and isinstance(o.module_type, str)
                and isinstance(o.attrs, dict)
                and type(o.call) is int
            )
            need(o.of is None or o.of == -1 or 0 <= o.of < len(self.ops))
        p = self.provenance
        need(
            all(isinstance(p[k], str) for k in ("model", "device", "torch", "costlab", "date"))
            and all(isinstance(s, str) and isinstance(d, str) for s, d in p["inputs"])
        )
        if self.measured:
            need(
                all(-1 <= o.of < len(self.ops) for o in self.measured.ops)
                and {"device", "dtype", "layout", "method"} <= self.measured.conditions.keys()
            )
            need("float32" in self.measured.ceilings and "bandwidth" in self.measured.ceilings)
