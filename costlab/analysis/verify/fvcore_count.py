"""The first peer: fvcore's FlopCountAnalysis, over a TorchScript graph."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.overrides
from torch import nn

from ..._narrow import is_list_or_tuple
from ...cost import cost_of, total
from ...trace import Trace
from .peer import closed, complex_difference, failure
from .result import Cause, Count, Difference
from .shapes import RECURRENT, UNCOUNTED, attention_macs, macs_by_shape, recurrent_macs

if TYPE_CHECKING:
    from fvcore.nn import FlopCountAnalysis

# fvcore's names for what costlab counts as MACs
_PRODUCTS = ("conv", "linear", "matmul", "bmm", "einsum", "addmm", "mm")
_RECURRENT_OPS = ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu")


class _Keywords(nn.Module):
    """Positional inputs for a model that takes keywords: fvcore's tracer passes positions."""

    def __init__(self, model: nn.Module, names: tuple[str, ...]):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self.model, self.names = model, names

    def forward(self, *args: Any) -> Any:
        cut = len(args) - len(self.names)
        return self.model(*args[:cut], **dict(zip(self.names, args[cut:], strict=True)))


class _Einsums(torch.overrides.TorchFunctionMode):
    """The most operands that an einsum is given."""

    operands = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.einsum:
            _equation, *given = args
            if len(given) == 1 and is_list_or_tuple(given[0]):
                given = given[0]
            self.operands = max(self.operands, len(given))
        return func(*args, **(kwargs or {}))


@contextmanager
def _quiet() -> Generator[None]:
    """fvcore's and TorchScript's warnings are not about the count."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


@dataclass(frozen=True)
class _Report:
    """What fvcore counted; `prefix` leads its module paths, `operands`: the most of an einsum."""

    analysis: FlopCountAnalysis
    by_operator: dict[str, int]
    by_module: dict[str, dict[str, int]]
    prefix: str
    operands: int

    def path(self, module: str) -> str:
        """fvcore's path of a module."""
        return self.prefix + module if module else self.prefix.rstrip(".")

    def unsupported(self, path: str = "") -> set[str]:
        """Operations under a path that fvcore has no formula for."""
        return set(self.analysis.unsupported_ops(path))

    def products(self) -> dict[str, int]:
        """MACs by module path, those of its children among them."""
        return {
            path: int(sum(n for name, n in ops.items() if name in _PRODUCTS))
            for path, ops in self.by_module.items()
        }


def count_forward(
    model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], trace: Trace
) -> Count:
    """The forward pass by fvcore, each difference from `trace` explained."""
    import fvcore

    try:
        with _quiet():
            report = _report(model, args, kwargs)
    except Exception as e:  # TorchScript cannot trace every model
        return Count("fvcore", fvcore.__version__, None, failed=failure(e))
    differences = [
        *_other_operations(report),
        *_without_formula(report, trace),
        *_inside_modules(report, trace),
        *complex_difference(trace),
    ]
    theirs = sum(report.by_operator.values())
    return closed("fvcore", fvcore.__version__, theirs, total(trace).macs, differences)


def _report(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Report:
    from fvcore.nn import FlopCountAnalysis

    target = _Keywords(model, tuple(kwargs)) if kwargs else model
    analysis = FlopCountAnalysis(target, (*args, *kwargs.values()))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    by_operator = {name: int(n) for name, n in analysis.by_operator().items()}
    einsums = _Einsums()
    if "einsum" in by_operator:
        with einsums, torch.no_grad():
            model(*args, **kwargs)
    by_module = {
        path: {name: int(n) for name, n in ops.items()}
        for path, ops in analysis.by_module_and_operator().items()
    }
    prefix = "model." if kwargs else ""
    return _Report(analysis, by_operator, by_module, prefix, einsums.operands)


def _other_operations(report: _Report) -> Iterator[Difference]:
    """Operations that are not products but in fvcore's sum."""
    for name, macs in report.by_operator.items():
        if name not in _PRODUCTS and macs:
            yield Difference(Cause.NOT_A_PRODUCT, -macs, name)


def _without_formula(report: _Report, trace: Trace) -> Iterator[Difference]:
    """Attention, recurrence and single products that fvcore leaves out."""
    hidden = 0
    inside: set[str] = set()
    for module, macs in attention_macs(trace).items():
        missing = report.unsupported(report.path(module))
        if any("scaled_dot_product_attention" in k or "baddbmm" in k for k in missing):
            hidden += macs
            inside.add(module)
    if hidden:
        yield Difference(Cause.ATTENTION, hidden)
    unsupported = report.analysis.unsupported_ops()
    skipped = [name for name in unsupported if name in _RECURRENT_OPS]
    recurrent = recurrent_macs(trace)
    if recurrent and skipped:
        yield Difference(Cause.RECURRENT, recurrent, ", ".join(skipped))
    for name in sorted({*unsupported} & {*UNCOUNTED}):
        macs = sum(
            macs_by_shape(trace, op)
            for op in trace.ops
            if op.name == UNCOUNTED[name]
            and op.module not in inside
            and op.module_type not in RECURRENT
        )
        if macs:
            yield Difference(Cause.NO_FORMULA, macs, name)


def _inside_modules(report: _Report, trace: Trace) -> Iterator[Difference]:
    """Custom functions and einsums of three operands, by the module that they are in."""
    functions = {
        path for path in report.by_module if any("PythonOp" in k for k in report.unsupported(path))
    }
    einsums = {
        path for path, ops in report.by_module.items() if report.operands > 2 and "einsum" in ops
    }
    for path, macs in _own_difference(report, trace).items():
        if macs > 0 and path in functions and not _has_child(path, functions):
            yield Difference(Cause.CUSTOM_FUNCTION, macs, path)
        elif macs and path in einsums:
            yield Difference(Cause.EINSUM, macs, path)


def _has_child(path: str, paths: set[str]) -> bool:
    start = path + "." if path else ""
    return any(other.startswith(start) and other != path for other in paths)


def _own_difference(report: _Report, trace: Trace) -> dict[str, int]:
    """By module path what costlab counts in the module itself, less what fvcore does there.

    fvcore's count of a module holds its children's."""
    whole = report.products()
    theirs = dict(whole)
    for child, macs in whole.items():
        parent = child.rpartition(".")[0]
        if child and parent in theirs:
            theirs[parent] -= macs
    ours: dict[str, int] = {}
    for op in trace.ops:
        path = report.path(op.module)
        ours[path] = ours.get(path, 0) + cost_of(trace, op).macs
    return {path: ours.get(path, 0) - theirs.get(path, 0) for path in {*ours, *theirs}}
