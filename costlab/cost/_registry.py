"""The registry of formulas, and what a trace costs by them."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Callable

from ..trace._record import Op, Trace

_WIDTH = {"float64": 8, "int64": 8, "complex64": 8, "complex128": 16, "float32": 4, "int32": 4, "float16": 2,
          "bfloat16": 2, "int16": 2, "bool": 1, "uint8": 1, "int8": 1}
_FORMULAS: dict[str, Callable] = {}


class UnknownOpError(ValueError):
    """Raised in strict mode: an operation has no formula."""


@dataclass(frozen=True)
class Cost:
    """What one operation does: `macs` multiply-adds in matrix products and convolutions; `flops` floating-point
    operations (2 per MAC, plus the elementwise ones); `activations` output elements of convolutions and matrix
    products (pycls/timm `macts`); `outputs` all output elements, views apart; `read`, `written` in bytes."""

    macs: int = 0
    flops: int = 0
    activations: int = 0
    outputs: int = 0
    read: int = 0
    written: int = 0
    known: bool = True


@dataclass(frozen=True)
class Total:
    """Sums over a trace, in the units of `Cost`; `params` counts every parameter element once, `weights` those that
    are not biases or norm scales; `unknown` maps an op without a formula to how often it ran."""

    macs: int
    flops: int
    activations: int
    outputs: int
    read: int
    written: int
    params: int
    weights: int
    ops: int
    unknown: dict[str, int]

    @property
    def coverage(self) -> str:
        known = self.ops - sum(self.unknown.values())
        text = f"{known} of {self.ops} ops known"
        if self.unknown:
            text += "; totals are a lower bound, not counted: " + ", ".join(f"{k} x{v}" for k, v in self.unknown.items())
        return text


def formula(*names: str):
    """Register `fn(trace, op) -> (macs, flops)` for ops such as "aten.mm" or "mylib.myop"; a later one overrides."""
    def register(fn):
        for name in names:
            _FORMULAS[name] = fn
        return fn
    return register


# ops whose outputs are the memory of their first input
VIEWS = frozenset(("aten.view", "aten.t", "aten.transpose", "aten.permute", "aten.expand", "aten.slice", "aten.select",
                         "aten.unsqueeze", "aten.squeeze", "aten._unsafe_view", "aten.split", "aten.split_with_sizes",
                         "aten.unbind", "costlab.dropout", "aten.as_strided", "aten.chunk", "aten.diagonal", "aten.unfold"))


def size_of(trace: Trace, index: int) -> int:
    """Bytes of a tensor."""
    t = trace.tensors[index]
    return t.numel * _WIDTH.get(t.dtype, 1)


def cost_of(trace: Trace, op: Op) -> Cost:
    """The cost of one operation; `known` is False where no formula is registered."""
    fn = _FORMULAS.get(op.name)
    macs, flops = fn(trace, op) if fn else (0, 0)
    ts = trace.tensors
    outputs = sum(ts[i].numel for i in op.outputs)
    if op.name in VIEWS and not (macs or flops):
        return Cost()  # a view of what is already there
    size = lambda ids: sum(size_of(trace, i) for i in ids)  # noqa: E731
    return Cost(macs, flops, outputs if macs else 0, outputs, size(dict.fromkeys(op.inputs)), size(op.outputs), fn is not None)


def is_weight(trace: Trace, index: int) -> bool:
    """Whether a parameter is a weight in the papers' sense: more than one dimension (not a bias or norm scale)."""
    return len(trace.params[index].shape) > 1


def total(trace: Trace, ops=None, *, strict: bool = False) -> Total:
    """Sum over `ops` (default the forward pass; `trace.backward` for the other). Params: those that the ops use; for the whole trace every registered one.

    Raises UnknownOpError in strict mode when an op has no formula."""
    chosen = trace.forward if ops is None else ops
    costs = [cost_of(trace, op) for op in chosen]
    unknown = Counter(op.name for op, c in zip(chosen, costs) if not c.known)
    if strict and unknown:
        raise UnknownOpError("no formula for " + ", ".join(f"{k} (x{v})" for k, v in unknown.items())
                             + "; register one with @costlab.formula, or leave out --strict")
    used = range(len(trace.params)) if ops is None else sorted({p for op in chosen for p in op.params})
    return Total(*(sum(getattr(c, f) for c in costs) for f in ("macs", "flops", "activations", "outputs", "read", "written")),
                 sum(trace.params[i].numel for i in used),
                 sum(trace.params[i].numel for i in used if is_weight(trace, i)), len(costs), dict(unknown))
