"""An independent second count: fvcore's and torch's own, with every difference from costlab's explained by name.

Both peers run the model for real on the CPU: fvcore over a TorchScript graph, FlopCounterMode over the dispatched
operations as they come (fused kernels included), each with its own formulas.
"""
from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass

import torch
from torch import nn

from ..cost import cost_of, total
from ..tables import Column, Sheet
from ..trace import Trace
from ..trace._tracer import _each, trace as run

_PRODUCTS = ("conv", "linear", "matmul", "bmm", "einsum", "addmm", "mm")  # fvcore's names for what costlab counts as MACs
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
class Verification:
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
            verdict = f"failed: {c.failed}" if c.total is None else "equal" if not c.differences else (
                "every difference explained" if c.agrees else "NOT EXPLAINED")
            rows.append({"counter": f"{c.peer} {c.version}", "MACs": c.total, "verdict": verdict})
            rows += [{"counter": f"  {d.what}", "difference": d.macs, "verdict": d.reason or "not explained"} for d in c.differences]
        return Sheet(f"{self.model}: second counts", (Column("counter"), Column("MACs", "MACs"), Column("difference", "MACs", format="+,d"),
                                                      Column("verdict")), tuple(rows), self.notes, facts={"agrees": self.agrees})


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
    made, found, scores = {}, {}, {}
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


def _fvcore(model, args, kwargs, trace: Trace) -> Count:
    import fvcore
    from fvcore.nn import FlopCountAnalysis
    version = fvcore.__version__
    target = _Keywords(model, tuple(kwargs)) if kwargs else model
    try:
        logging.disable(logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            count = FlopCountAnalysis(target, (*args, *kwargs.values())).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
            by_operator = {k: int(v) for k, v in count.by_operator().items()}
    except Exception as e:  # TorchScript cannot trace every model
        return Count("fvcore", version, None, failed=_line(e))
    finally:
        logging.disable(logging.NOTSET)
    differences = [Difference(k, -v, f"fvcore counts {k}, which is no matrix product, in the same sum")
                   for k, v in by_operator.items() if k not in _PRODUCTS and v]
    prefix = "model." if kwargs else ""
    hidden = 0
    for path, macs in _attention(trace).items():
        missing = count.unsupported_ops(prefix + path if path else prefix.rstrip("."))
        if any("scaled_dot_product_attention" in k or "baddbmm" in k for k in missing):
            hidden += macs
    if hidden:
        differences.append(Difference("attention products", hidden, "fvcore has no formula for aten::scaled_dot_product_attention"))
    recurrent = sum(cost_of(trace, op).macs for op in trace.ops if op.module_type in _RECURRENT)
    skipped = [k for k in count.unsupported_ops() if k in ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu")]
    if recurrent and skipped:
        differences.append(Difference("recurrent products", recurrent, f"fvcore has no formula for {', '.join(skipped)}"))
    return _close("fvcore", version, sum(by_operator.values()), total(trace).macs, differences)


def _flop_counter(model, args, kwargs, trace: Trace) -> Count:
    from torch.utils.flop_counter import FlopCounterMode, flop_registry
    known = {str(k).replace("::", ".") for k in flop_registry}
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(*args, **kwargs)
        fused = run(model, args, kwargs, device="cpu", fused=True)
    except Exception as e:
        return Count("torch FlopCounterMode", torch.__version__, None, failed=_line(e))
    missing: dict[str, list[int]] = {}
    for op in fused.ops:
        macs = cost_of(fused, op).macs
        if macs and op.name not in known:
            missing.setdefault(op.name, []).append(macs)
    differences = [Difference(f"{name} x{len(v)}", sum(v), f"FlopCounterMode has no formula for {name}, which torch chose on the CPU")
                   for name, v in missing.items()]
    return _close("torch FlopCounterMode", torch.__version__, counter.get_total_flops() // 2, total(trace).macs, differences)


def _flop_counter_step(model, args, kwargs, trace: Trace) -> Count:
    """A training step: forward and backward as autograd runs them."""
    from torch.utils.flop_counter import FlopCounterMode
    was = model.training
    try:
        model.train()
        with FlopCounterMode(display=False) as counter:
            outs = [t for t in _each(model(*args, **kwargs)) if t.requires_grad]
            torch.autograd.grad(outs, [p for p in model.parameters() if p.requires_grad], [torch.ones_like(t) for t in outs], allow_unused=True)
    except Exception as e:
        return Count("torch FlopCounterMode", torch.__version__, None, failed=_line(e))
    finally:
        model.train(was)
    return _close("torch FlopCounterMode", torch.__version__, counter.get_total_flops() // 2, total(trace).macs + total(trace, trace.backward).macs, [])


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
        raise MemoryError(f"the second counts run the model for real, and its parameters need {size / 1e9:.0f} GB")
    if any(t.device.type == "meta" for t in (*params, *model.buffers())):
        model.to_empty(device="cpu")
        with torch.no_grad():
            for t in (*model.parameters(), *model.buffers()):
                t.zero_()

    def real(t):
        return torch.zeros(t.shape, dtype=t.dtype) if isinstance(t, torch.Tensor) and t.device.type == "meta" else t
    inputs = tuple(real(t) for t in (inputs if isinstance(inputs, (tuple, list)) else (inputs,)))
    kwargs = {k: real(v) for k, v in (kwargs or {}).items()}
    trace = run(model, inputs, kwargs, device="cpu", spec=spec, backward=train)
    whole = total(trace)
    if train:
        notes = ("forward and backward; one MAC = one multiply-add; FlopCounterMode's FLOPs are halved", f"coverage: {total(trace, trace.ops).coverage}")
        return Verification(trace.provenance["model"], whole.macs + total(trace, trace.backward).macs, (_flop_counter_step(model, inputs, kwargs, trace),), notes)
    notes = ("one MAC = one multiply-add; FlopCounterMode's FLOPs are halved", f"coverage: {whole.coverage}")
    return Verification(trace.provenance["model"], whole.macs, (_fvcore(model, inputs, kwargs, trace), _flop_counter(model, inputs, kwargs, trace)),
                        notes)
