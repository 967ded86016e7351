"""The registry of formulas, and what a trace costs by them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from collections.abc import Callable

from ..trace.record import Op, Trace

_WIDTH = {
    "float64": 8,
    "int64": 8,
    "complex64": 8,
    "complex128": 16,
    "float32": 4,
    "int32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int16": 2,
    "uint64": 8,
    "uint32": 4,
    "uint16": 2,
    "complex32": 4,
    "bool": 1,
    "uint8": 1,
    "int8": 1,
}
_FORMULAS: dict[str, Callable] = {}


class UnknownOpError(ValueError):
    """Raised in strict mode: an operation has no formula."""


@dataclass(frozen=True)
class Cost:
    """What one operation does: `macs` real multiply-adds in matrix products and convolutions (a complex one is four); `flops` floating-point
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
            text += "; totals are a lower bound, not counted: " + ", ".join(
                f"{k} x{v}" for k, v in self.unknown.items()
            )
        return text


def formula(*names: str):
    """Register `fn(trace, op) -> (macs, flops)` for ops such as "aten.mm" or "mylib::myop"; a later one overrides."""

    def register(fn):
        for name in names:
            _FORMULAS[name.replace("::", ".")] = fn
        return fn

    return register


# ops whose outputs are the memory of their first input
VIEWS = frozenset(
    (
        "aten.view",
        "aten.t",
        "aten.transpose",
        "aten.permute",
        "aten.expand",
        "aten.slice",
        "aten.select",
        "aten.unsqueeze",
        "aten.squeeze",
        "aten._unsafe_view",
        "aten.split",
        "aten.split_with_sizes",
        "aten.unbind",
        "costlab.dropout",
        "costlab.write",
        "aten.as_strided",
        "aten.chunk",
        "aten.diagonal",
        "aten.unfold",
        *(
            f"aten.{n}"
            for n in (
                "as_strided_",
                "squeeze_",
                "unsqueeze_",
                "t_",
                "transpose_",
                "view_as_real",
                "view_as_complex",
                "_reshape_alias",
                "alias",
                "_conj",
            )
        ),
    )
)


# ops that read as much of their first input as they put out, and ops whose further outputs are bookkeeping that differs by device
GATHERS = frozenset(
    f"aten.{n}"
    for n in (
        "embedding",
        "index",
        "_unsafe_index",
        "index_select",
        "gather",
        "take",
        "masked_select",
    )
)
_STATISTICS = frozenset(("aten.native_batch_norm", "aten._native_batch_norm_legit_no_training"))
_MAIN_OUTPUT = frozenset(("aten._embedding_bag", "aten._embedding_bag_forward_only"))


def size_of(trace: Trace, index: int) -> int:
    """Bytes of a tensor."""
    t = trace.tensors[index]
    return (t.numel if t.distinct is None else t.distinct) * _WIDTH.get(t.dtype, 1)


def cost_of(trace: Trace, op: Op) -> Cost:
    """The cost of one operation; `known` is False where no formula is registered."""
    fn = _FORMULAS.get(op.name)
    found = fn(trace, op) if fn else (0, 0)
    if not (isinstance(found, tuple) and len(found) == 2):
        raise TypeError(
            f"the formula of {op.name} returned {found!r}; return (MACs, FLOPs), two numbers"
        )
    macs, flops = found
    made = op.outputs[:1] if op.name in _MAIN_OUTPUT or op.name in _STATISTICS else op.outputs
    outputs = sum(trace.tensors[i].numel for i in made)
    if op.name in VIEWS and not (macs or flops):
        return Cost()  # a view of what is already there
    size = lambda ids: sum(size_of(trace, i) for i in ids)  # noqa: E731
    read, written = size(dict.fromkeys(op.inputs)), size(made)
    if op.name in GATHERS and op.inputs:
        read += min(written, size(op.inputs[:1])) - size(op.inputs[:1])
    elif op.name in _MAIN_OUTPUT:
        table, ids = op.inputs[:2]
        read += trace.tensors[ids].numel * size((table,)) // max(
            1, trace.tensors[table].shape[0]
        ) - size((table,))
    return Cost(macs, flops, outputs if macs else 0, outputs, read, written, fn is not None)


def is_weight(trace: Trace, index: int) -> bool:
    """Whether a parameter is a weight in the papers' sense, not a bias or a scale: it has more than one dimension, and is not only that of a
    normalization, or one value a channel that no product uses."""
    shape = trace.params[index].shape
    if len(shape) < 2:
        return False
    users = _users(trace).get(index, ())
    if users and all("norm" in name for name in users):
        return False
    return sum(n > 1 for n in shape) > 1 or any(
        name in _FORMULAS and name in _PRODUCTS for name in users
    )


# ops that multiply by a weight; a lookup takes rows of one
_PRODUCTS = frozenset(
    f"aten.{n}"
    for n in (
        "convolution",
        "_convolution",
        "mm",
        "addmm",
        "bmm",
        "baddbmm",
        "mv",
        "addmv",
        "_grouped_mm",
        "_scaled_mm",
        "conv_tbc",
        "_trilinear",
        "embedding",
        "_embedding_bag",
        "_embedding_bag_forward_only",
    )
)


def _users(trace: Trace) -> dict[int, tuple[str, ...]]:
    """Names of the operations that use each parameter, looked up through views of it; kept with the trace."""
    if "_users" not in trace.__dict__:
        home, found = {p.tensor: i for i, p in enumerate(trace.params)}, {}
        for op in trace.forward:
            mine = {home[i] for i in op.inputs if i in home}
            if op.name in VIEWS and op.inputs and op.inputs[0] in home:
                home.update(dict.fromkeys(op.outputs, home[op.inputs[0]]))
                continue
            for i in mine:
                found.setdefault(i, {})[op.name] = None
        trace.__dict__["_users"] = {i: tuple(names) for i, names in found.items()}
    return trace.__dict__["_users"]


def total(trace: Trace, ops=None, *, strict: bool = False) -> Total:
    """Sum over `ops` (default the forward pass; `trace.backward` for the other). Params: those that the ops use; for the whole trace every registered one.

    Raises UnknownOpError in strict mode when an op has no formula."""
    chosen = trace.forward if ops is None else ops
    costs = [cost_of(trace, op) for op in chosen]
    unknown = Counter(op.name for op, c in zip(chosen, costs) if not c.known)
    if strict and unknown:
        raise UnknownOpError(
            "no formula for "
            + ", ".join(f"{k} (x{v})" for k, v in unknown.items())
            + "; register one with @costlab.formula, or leave out --strict"
        )
    used = (
        range(len(trace.params)) if ops is None else sorted({p for op in chosen for p in op.params})
    )
    return Total(
        *(
            sum(getattr(c, f) for c in costs)
            for f in ("macs", "flops", "activations", "outputs", "read", "written")
        ),
        sum(trace.params[i].numel for i in used),
        sum(trace.params[i].numel for i in used if is_weight(trace, i)),
        len(costs),
        dict(unknown),
    )
