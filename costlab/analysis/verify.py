"""An independent second count: fvcore's and torch's own, with every difference from costlab's explained by name.

Both peers run the model for real on the CPU: fvcore over a TorchScript graph, FlopCounterMode over the dispatched
operations as they come (fused kernels included), each with its own formulas.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import nn

from .._result import Result
from ..cost import cost_of, total
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace.nested import drained, each
from ..trace.tracer import trace as run

_PRODUCTS = (
    "conv",
    "linear",
    "matmul",
    "bmm",
    "einsum",
    "addmm",
    "mm",
)  # fvcore's names for what costlab counts as MACs
_RECURRENT = ("LSTM", "GRU", "RNN")


@dataclass(frozen=True)
class Difference:
    """`macs`: costlab's count less the peer's, multiply-adds; `reason` names the cause, "" when there is none known."""

    what: str
    macs: int
    reason: str


@dataclass(frozen=True)
class Count:
    """One peer: its `total` in MACs (None where it could not count, with `failed` saying why), and the differences."""

    peer: str
    version: str
    total: int | None
    differences: tuple[Difference, ...] = ()
    failed: str = ""

    @property
    def agrees(self) -> bool:
        """Equal, or every difference has a named cause."""
        return self.total is not None and all(d.reason for d in self.differences)


@dataclass(frozen=True)
class Verification(Result):
    """costlab's total in MACs, and each peer's count of the same model and input."""

    model: str
    total: int
    counts: tuple[Count, ...]
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Every peer that could count agrees, and one could."""
        counted = [c for c in self.counts if c.total is not None]
        return bool(counted) and all(c.agrees for c in counted)

    @property
    def sheet(self) -> Sheet:
        """A row a peer, then a row a difference."""
        rows = [{"counter": "costlab", "MACs": self.total, "verdict": ""}]
        for c in self.counts:
            verdict = (
                f"failed: {c.failed}"
                if c.total is None
                else "equal"
                if not c.differences
                else ("every difference explained" if c.agrees else "NOT EXPLAINED")
            )
            rows.append({"counter": f"{c.peer} {c.version}", "MACs": c.total, "verdict": verdict})
            rows += [
                {
                    "counter": f"  {d.what}",
                    "difference": d.macs,
                    "verdict": d.reason or "not explained",
                }
                for d in c.differences
            ]
        return Sheet(
            f"{self.model}: second counts",
            (
                Column("counter"),
                Column("MACs", "MACs"),
                Column("difference", "MACs", format="+,d"),
                Column("verdict"),
            ),
            tuple(rows),
            self.notes,
            facts={"agrees": self.agrees},
        )


class _Keywords(nn.Module):
    """Positional inputs for a model that takes keywords, because fvcore's tracer passes positions."""

    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *args):
        cut = len(args) - len(self.names)
        return self.model(*args[:cut], **dict(zip(self.names, args[cut:])))


def _line(e):
    return f"{type(e).__name__}: {(str(e).strip().splitlines() or [''])[0]}"


def _attention(trace: Trace) -> dict[str, int]:
    """MACs of query-key and weight-value products by module path: two batched products with a softmax between."""
    made, found = {}, {}
    for op in trace.ops:
        source = next((made[i] for i in op.inputs if i in made), None)
        if op.name in ("aten.bmm", "aten.baddbmm"):
            state = ("product", cost_of(trace, op).macs)
            if source and source[0] == "softmax":
                found[op.module] = found.get(op.module, 0) + source[1] + state[1]
                state = None
        elif op.name in ("aten._softmax", "aten._safe_softmax"):
            state = ("softmax", source[1]) if source and source[0] == "product" else None
        else:
            state = source
        if state:
            made.update(dict.fromkeys(op.outputs, state))
    return found


# fvcore's names for operations that it has no formula for, costlab's for the products in them, and how many those are, from shapes alone: the
# formula that is checked must not explain itself
_BY_SHAPE = {
    "aten.mv": lambda out, a, b: prod(a),
    "aten.addmv": lambda out, c, a, b: prod(a),
    "aten.dot": lambda out, a, b: prod(a),
    "aten.vdot": lambda out, a, b: prod(a),
    "aten.ger": lambda out, a, b: prod(out),
    "aten.addr": lambda out, c, a, b: prod(out),
    "aten.baddbmm": lambda out, c, a, b: prod(out) * a[-1],
    "aten.addbmm": lambda out, c, a, b: prod(out) * a[0] * a[-1],
    "aten._trilinear": lambda out, a, w, b: a[0] * (prod(w) + w[0] * w[1]),
}
_UNCOUNTED = {
    f"aten::{'bilinear' if name == 'aten._trilinear' else name.removeprefix('aten.')}": name
    for name in _BY_SHAPE
}


def _by_shape(trace, op):
    """The MACs of an operation that a peer does not know: from its shapes where they are simple, otherwise by its formula."""
    rule = _BY_SHAPE.get(op.name) if op.of is None else None
    return (
        rule(trace.tensors[op.outputs[0]].shape, *trace.shapes(op))
        if rule
        else cost_of(trace, op).macs
    )


def _own(trace: Trace, by_module: dict[str, int], prefix: str) -> dict[str, int]:
    """By module path what costlab counts in the module itself, less what the peer does, whose counts hold the children's too."""
    theirs = {
        path: n
        - sum(
            m
            for child, m in by_module.items()
            if child and child != path and child.rpartition(".")[0] == path
        )
        for path, n in by_module.items()
    }
    ours: dict[str, int] = {}
    for op in trace.ops:
        ours[prefix + op.module if op.module else prefix.rstrip(".")] = (
            ours.get(prefix + op.module if op.module else prefix.rstrip("."), 0)
            + cost_of(trace, op).macs
        )
    return {path: ours.get(path, 0) - theirs.get(path, 0) for path in {*ours, *theirs}}


class _Einsums(torch.overrides.TorchFunctionMode):
    """The most operands that an einsum is given."""

    operands = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.einsum:
            given = (
                args[1:][0] if len(args) == 2 and isinstance(args[1], (list, tuple)) else args[1:]
            )
            self.operands = max(self.operands, len(given))
        return func(*args, **(kwargs or {}))


def _fvcore(model, args, kwargs, trace: Trace) -> Count:
    import fvcore
    from fvcore.nn import FlopCountAnalysis

    version = fvcore.__version__
    target = _Keywords(model, tuple(kwargs)) if kwargs else model
    einsums = _Einsums()
    try:
        logging.disable(logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            count = (
                FlopCountAnalysis(target, (*args, *kwargs.values()))
                .unsupported_ops_warnings(False)
                .uncalled_modules_warnings(False)
            )
            by_operator = {k: int(v) for k, v in count.by_operator().items()}
            if "einsum" in by_operator:
                with einsums, torch.no_grad():
                    model(*args, **kwargs)
    except Exception as e:  # TorchScript cannot trace every model
        return Count("fvcore", version, None, failed=_line(e))
    finally:
        logging.disable(logging.NOTSET)
    differences = [
        Difference(k, -v, f"fvcore counts {k}, which is no matrix product, in the same sum")
        for k, v in by_operator.items()
        if k not in _PRODUCTS and v
    ]
    prefix = "model." if kwargs else ""
    hidden, inside = 0, set()
    for path, macs in _attention(trace).items():
        missing = count.unsupported_ops(prefix + path if path else prefix.rstrip("."))
        if any("scaled_dot_product_attention" in k or "baddbmm" in k for k in missing):
            hidden += macs
            inside.add(path)
    if hidden:
        differences.append(
            Difference(
                "attention products",
                hidden,
                "fvcore has no formula for aten::scaled_dot_product_attention",
            )
        )
    skipped = [
        k
        for k in count.unsupported_ops()
        if k in ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu")
    ]
    recurrent = sum(cost_of(trace, op).macs for op in trace.ops if op.module_type in _RECURRENT)
    if recurrent and skipped:
        differences.append(
            Difference(
                "recurrent products", recurrent, f"fvcore has no formula for {', '.join(skipped)}"
            )
        )
    for name in sorted({*count.unsupported_ops()} & {*_UNCOUNTED}):
        macs = sum(
            _by_shape(trace, op)
            for op in trace.ops
            if op.name == _UNCOUNTED[name]
            and op.module not in inside
            and op.module_type not in _RECURRENT
        )
        if macs:
            differences.append(Difference(name, macs, f"fvcore has no formula for {name}"))
    opaque = {
        path
        for path, ops in count.by_module_and_operator().items()
        if einsums.operands > 2 and "einsum" in ops
    }
    functions = {
        p for p in count.by_module() if any("PythonOp" in k for k in count.unsupported_ops(p))
    }
    products = {
        path: int(sum(v for k, v in ops.items() if k in _PRODUCTS))
        for path, ops in count.by_module_and_operator().items()
    }
    for path, macs in _own(trace, products, prefix).items():
        where = f" in {path}" if path else ""
        if (
            macs > 0
            and path in functions
            and not any(p.startswith(path + "." if path else "") and p != path for p in functions)
        ):
            differences.append(
                Difference(
                    f"custom functions{where}",
                    macs,
                    "fvcore does not look into torch.autograd.Function",
                )
            )
        elif macs and path in opaque:
            differences.append(
                Difference(
                    f"einsum{where}",
                    macs,
                    "fvcore counts an einsum of three or more operands in an order of its own; torch multiplies them pair by pair, "
                    "and elementwise where nothing is summed",
                )
            )
    differences += _complex(trace)
    return _close("fvcore", version, sum(by_operator.values()), total(trace).macs, differences)


def _unknown_to_torch(fused: Trace) -> list[Difference]:
    """Operations as they run, for which FlopCounterMode has no formula."""
    from torch.utils.flop_counter import flop_registry

    known, missing = {str(k).replace("::", ".") for k in flop_registry}, {}
    for op in fused.ops:
        macs = _by_shape(fused, op)
        if macs and op.name not in known:
            missing.setdefault(op.name, []).append(macs)
    return [
        Difference(
            f"{name} x{len(v)}",
            sum(v),
            f"FlopCounterMode has no formula for {name}, which torch chose on the CPU",
        )
        for name, v in missing.items()
    ]


def _flop_counter(model, args, kwargs, trace: Trace) -> Count:
    from torch.utils.flop_counter import FlopCounterMode

    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            drained(model(*args, **kwargs))
        differences = _unknown_to_torch(
            run(model, args, kwargs, device="cpu", fused=True)
        ) + _complex(trace)
    except Exception as e:
        return Count("torch FlopCounterMode", torch.__version__, None, failed=_line(e))
    return _close(
        "torch FlopCounterMode",
        torch.__version__,
        counter.get_total_flops() // 2,
        total(trace).macs,
        differences,
    )


def _grouped(trace: Trace) -> int:
    """What FlopCounterMode counts too much for the weight's gradients of grouped convolutions: all channels by all."""
    extra = 0
    for op in trace.backward:
        groups = op.attrs.get("groups", 1)
        if op.name == "aten.convolution_backward" and groups > 1 and op.attrs["output_mask"][1]:
            _, data, weight = trace.shapes(op)[:3]
            grad = trace.shapes(op)[0]
            forward = (prod(data) if op.attrs.get("transposed") else prod(grad)) * prod(weight[1:])
            extra += forward * (groups - 1)
    return extra


def _flop_counter_step(model, args, kwargs, trace: Trace) -> Count:
    """A training step: forward and backward as autograd runs them."""
    from torch.utils.flop_counter import FlopCounterMode

    was = model.training
    try:
        model.train()
        with FlopCounterMode(display=False) as counter:
            outs = [t for t in each(drained(model(*args, **kwargs))) if t.requires_grad]
            torch.autograd.grad(
                outs,
                [p for p in model.parameters() if p.requires_grad],
                [torch.ones_like(t) for t in outs],
                allow_unused=True,
            )
        differences = _unknown_to_torch(
            run(model, args, kwargs, device="cpu", fused=True, backward=True)
        )
    except Exception as e:
        return Count("torch FlopCounterMode", torch.__version__, None, failed=_line(e))
    finally:
        model.train(was)
    if extra := _grouped(trace):
        differences.append(
            Difference(
                "gradients of grouped weights",
                -extra,
                "FlopCounterMode counts the weight's gradient of a grouped convolution as if it had no groups",
            )
        )
    return _close(
        "torch FlopCounterMode",
        torch.__version__,
        counter.get_total_flops() // 2,
        total(trace).macs + total(trace, trace.backward).macs,
        differences,
    )


def _complex(trace: Trace) -> list[Difference]:
    """Complex products, which the peers count as one multiply-add and costlab as four."""
    macs = sum(
        cost_of(trace, op).macs
        for op in trace.ops
        if op.outputs and trace.tensors[op.outputs[0]].dtype.startswith("complex")
    )
    return (
        [
            Difference(
                "complex products",
                macs // 4 * 3,
                "a complex multiply-add is four real ones; the peer counts it as one",
            )
        ]
        if macs
        else []
    )


def _independent(counts):
    """What a custom function does is explained to fvcore only where torch's own counter, which looks into it, agrees."""
    first, second = counts
    if second.agrees:
        return counts
    doubted = tuple(
        replace(d, reason="") if d.what.startswith("custom functions") else d
        for d in first.differences
    )
    return replace(first, differences=doubted), second


def _close(peer, version, theirs, ours, differences):
    rest = ours - theirs - sum(d.macs for d in differences)
    if rest:
        differences.append(Difference("the rest", rest, ""))
    return Count(peer, version, theirs, tuple(differences))


def verify(model, inputs=(), kwargs=None, *, spec=None, train=False) -> Verification:
    """Count `model` with costlab, fvcore and FlopCounterMode. A model on `meta` is given memory (zeros) on the CPU, in place. `train`: a
    training step, forward and backward, which fvcore does not count.

    Raises ImportError without fvcore, TraceError when the model cannot run, MemoryError when it would need over 12 GB."""
    import fvcore.nn  # noqa: F401  asked for before the work begins

    params = list(model.parameters())
    size = sum(p.numel() * p.element_size() for p in params)
    if size > 12e9:
        raise MemoryError(
            f"the second counts run the model for real, and its parameters need {size / 1e9:.0f} GB"
        )
    if any(t.device.type == "meta" for t in (*params, *model.buffers())):
        model.to_empty(device="cpu")
        with torch.no_grad():
            for t in (*model.parameters(), *model.buffers()):
                t.zero_()

    def real(t):
        return (
            torch.zeros(t.shape, dtype=t.dtype)
            if isinstance(t, torch.Tensor) and t.device.type == "meta"
            else t
        )

    inputs = tuple(real(t) for t in (inputs if isinstance(inputs, (tuple, list)) else (inputs,)))
    kwargs = {k: real(v) for k, v in (kwargs or {}).items()}
    trace = run(model, inputs, kwargs, device="cpu", spec=spec, backward=train)
    whole = total(trace)
    if train:
        notes = (
            "forward and backward; one MAC = one multiply-add; FlopCounterMode's FLOPs are halved",
            f"coverage: {total(trace, trace.ops).coverage}",
        )
        return Verification(
            trace.provenance["model"],
            whole.macs + total(trace, trace.backward).macs,
            (_flop_counter_step(model, inputs, kwargs, trace),),
            notes,
        )
    notes = (
        "one MAC = one multiply-add; FlopCounterMode's FLOPs are halved",
        f"coverage: {whole.coverage}",
    )
    return Verification(
        trace.provenance["model"],
        whole.macs,
        _independent(
            (_fvcore(model, inputs, kwargs, trace), _flop_counter(model, inputs, kwargs, trace))
        ),
        notes,
    )
