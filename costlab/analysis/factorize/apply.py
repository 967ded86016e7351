"""Rewrites applied to a model for real, and compared with their prediction."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from ..._pictures import Picture
from ..._pictures import diagram as picture_of
from ..._result import Result
from ...cost import total
from ...graph import layer_graph
from ...predict import prediction_of, saving_of
from ...tables import Sheet, saving_cells, saving_columns
from ...trace import Timing, Trace
from ...trace.build import build_on_meta
from ...trace.modules import registered_modules
from ...trace.tracer import trace as record
from . import notes
from .candidates import Candidate
from .ranking import COLUMNS, cells
from .rewrites import build


@dataclass(frozen=True)
class FieldChange:
    """The receptive field (pixels) at the end of a convolution, and at the end of its rewrite."""

    path: str
    before: int
    after: int


@dataclass(frozen=True)
class Factorization(Result):
    """Before and after a set of rewrites, traced both times, beside the prediction. `ratio`: how
    many times as long it takes, both run in turns (None: not measured); `caveats`: notes on how the
    model was built."""

    model: str
    chosen: tuple[Candidate, ...]
    params: tuple[int, int]
    macs: tuple[int, int]
    predicted_params: int
    predicted_macs: int
    fields: tuple[FieldChange, ...]
    outputs: tuple[tuple[tuple[int, ...], ...], ...]
    traces: tuple[Trace, Trace]
    ratio: Timing | None = None
    caveats: tuple[str, ...] = ()

    def diagram(self) -> Picture:
        """The rewritten convolutions, before and after. Needs the diagrams extra."""
        from ..diagram import rewritten

        return picture_of(*rewritten(self.traces, [c.path for c in self.chosen]))

    @property
    def agrees(self) -> bool:
        """Whether the second trace is exactly what was predicted, with the same output shapes and
        receptive fields."""
        return (
            (self.params[1], self.macs[1]) == (self.predicted_params, self.predicted_macs)
            and self.outputs[0] == self.outputs[1]
            and all(f.before == f.after for f in self.fields)
        )

    @property
    def macs_saved(self) -> float:
        """Share of the model's MACs."""
        return 1 - self.macs[1] / self.macs[0]

    @property
    def sheet(self) -> Sheet:
        """A row a rewrite, then the whole."""
        n = len(self.chosen)
        whole: dict[str, Any] = {
            "params before": self.params[0],
            "params after": self.params[1],
            "MACs before": self.macs[0],
            "MACs after": self.macs[1],
            "MACs saved": self.macs_saved,
        }
        before, after = map(prediction_of, self.traces)
        times = saving_columns(before) if before else ()
        if before and after:
            whole |= saving_cells(saving_of(before, after))
        return Sheet(
            f"{self.model}: {n} convolution{'s' * (n != 1)} rewritten",
            (*COLUMNS, *times),
            tuple(map(cells, self.chosen)),
            notes.rewritten(self),
            whole,
        )


def factorize(
    model: nn.Module,
    inputs: Any,
    kwargs: Mapping[str, Any] | None,
    chosen: Sequence[Candidate],
    spec: str,
    device: str = "auto",
    *,
    tracer: Callable[..., Trace] = record,
    pair: Callable[..., Timing] | None = None,
) -> Factorization:
    """Apply `chosen` for real, trace again and compare with the prediction.

    `tracer`: `costlab.trace`, or `costlab.measure.measure` to have the times too; `pair`:
    `costlab.measure.paired`, to compare them. Raises TraceError when the new model fails."""
    rewritten = apply(model, chosen)
    before = tracer(model, inputs, kwargs, device=device, spec=spec)
    after = tracer(rewritten, inputs, kwargs, device=device, spec=f"{spec} rewritten")
    was, now = total(before), total(after)
    return Factorization(
        spec,
        tuple(chosen),
        (was.params, now.params),
        (was.macs, now.macs),
        was.params + sum(c.params[1] - c.params[0] for c in chosen),
        was.macs + sum(c.macs[1] - c.macs[0] for c in chosen),
        tuple(FieldChange(c.path, _field(before, c.path), _field(after, c.path)) for c in chosen),
        (_outputs(before), _outputs(after)),
        (before, after),
        pair(model, rewritten, inputs, kwargs, device=device) if pair else None,
    )


def _outputs(trace: Trace) -> tuple[tuple[int, ...], ...]:
    return tuple(trace.tensors[i].shape for i in trace.outputs)


def _field(trace: Trace, path: str) -> int:
    """The receptive field at the end of a module."""
    inside = [
        node
        for node in layer_graph(trace)
        if node.op and (not path or f"{node.op.module}.".startswith(f"{path}."))
    ]
    return max(inside[-1].field) if inside and inside[-1].field else 0


def apply(model: nn.Module, chosen: Sequence[Candidate]) -> nn.Module:
    """A copy of `model` with each candidate's convolution replaced, on the same device.

    Raises ValueError when two candidates name one convolution, or the model cannot be copied."""
    paths = [c.path for c in chosen]
    twice = next((p for p in paths if paths.count(p) > 1), None)
    if twice:
        raise ValueError(f"{twice} has two rewrites; choose one")
    new = _copied(model)
    for c in chosen:
        old = new.get_submodule(c.path)
        replacement = _replacement(old, c)
        if c.path == "":
            return replacement
        _replace(new, old, replacement)
    return new


def _copied(model: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(model)
    except Exception as e:  # as of tensors that are the result of a computation
        text = (str(e).splitlines() or [""])[0]
        raise ValueError(f"the model cannot be copied: {type(e).__name__}: {text}") from None


def _replacement(old: nn.Module, c: Candidate) -> nn.Module:
    """The new module, where, in the dtype and in the mode in which the old one is."""
    if not isinstance(old, nn.Conv2d) or old.padding_mode != "zeros":
        raise ValueError(
            f"{c.path or 'the model'} is not a zero-padded nn.Conv2d, so it cannot be replaced"
        )

    def make() -> nn.Sequential:
        return build(c.conv, c.rewrite, c.mid)

    device, dtype = old.weight.device, old.weight.dtype
    new = build_on_meta(make).to(dtype) if device.type == "meta" else make().to(device, dtype)
    return new.train(old.training)


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Put a module in another's place, under every name that it has."""
    for parent in list(model.modules()):
        registered = registered_modules(parent)
        for name, child in registered.items():
            if child is old:
                registered[name] = new
