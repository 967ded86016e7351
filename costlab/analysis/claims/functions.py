"""The names that an expression of a ledger may use."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ... import reference, zoo
from ..._spelling import suggestion
from ...trace import Trace
from .errors import LedgerError
from .figures import Figures

if TYPE_CHECKING:
    from ..audit.result import Audit

_CACHED = 256  # traces that are kept
_MOST_DIGITS = 100  # before or after the point


def _traced(make: Callable[[], Any], shape: tuple[int, ...], train: bool | None = None) -> Trace:
    from ...trace.build import traced

    return traced(make, shape, train=train)


def _model(name: str, size: int | None = None, train: bool = False, **arguments: Any) -> Figures:
    """A zoo model at the paper's input, or at `size` pixels; in training mode a batch of two."""
    return _zoo(name, size, train, tuple(sorted(arguments.items())))


@lru_cache(maxsize=_CACHED)
def _zoo(
    name: str, size: int | None, train: bool, arguments: tuple[tuple[str, Any], ...]
) -> Figures:
    if name not in zoo.names():
        raise LedgerError(f"unknown model {name!r}{suggestion(name, zoo.names(), 1)}")
    batch, channels, *grid = zoo.input_shape(name)
    if size:
        grid = [size, size]
    shape = (2 if train else batch, channels, *grid)
    return Figures(_traced(lambda: zoo.build(name, **dict(arguments)), shape, train or None))


@lru_cache(maxsize=_CACHED)
def _module(name: str, *args: Any, input: tuple[int, ...], **arguments: Any) -> Figures:
    """A building block of `costlab.zoo.modules`, alone, on `input` (N, c, H, W)."""
    from ...zoo import modules

    if name not in modules.__all__:
        raise LedgerError(f"no building block {name!r}")
    block = getattr(modules, name)
    return Figures(_traced(lambda: block(*args, **arguments), input))


@lru_cache(maxsize=_CACHED)
def _convs(*layers: tuple[Any, ...], size: int, bias: bool = False) -> Figures:
    """Convolutions in a row on a `size` x `size` grid.

    Each layer is (c_in, c_out, kernel, stride = 1, padding = kernel // 2)."""
    from torch import nn

    def conv(
        c_in: int,
        c_out: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] | None = None,
    ) -> nn.Conv2d:
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        same = (height // 2, width // 2)
        padding = same if padding is None else padding
        return nn.Conv2d(c_in, c_out, (height, width), stride, padding, bias=bias)

    def make() -> nn.Sequential:
        return nn.Sequential(*(conv(*layer) for layer in layers))

    c_in, *_ = layers[0]
    return Figures(_traced(make, (1, c_in, size, size)))


def _published(
    network: str, setting: str, column: str = "top5_err", data: str | None = None
) -> float:
    """A published error rate (not measured here), in percent; `data`: of these images."""
    for row in reference.load("published_results"):
        wanted = row["network"] == network and row["setting"] == setting
        if wanted and data in (None, row["data"]) and row[column]:
            return float(row[column])
    raise LedgerError(f"no published {column} of {network!r}, {setting!r}")


def _fact(key: str) -> str:
    """A fact of the reference data, as text."""
    for row in reference.load("auxiliary_facts"):
        if row["key"] == key:
            return row["value"]
    raise LedgerError(f"no fact {key!r}")


def _pointwise_is_linear() -> bool:
    """Whether a 1x1 convolution equals a linear layer with the same weights, in float64."""
    import torch

    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, dtype=torch.float64, generator=generator)

    x, weight, bias = random(2, 4, 5, 5), random(2, 4), random(2)
    conv = torch.nn.functional.conv2d(x, weight[:, :, None, None], bias)
    linear = torch.nn.functional.linear(x.permute(0, 2, 3, 1), weight, bias)
    return bool((conv - linear.permute(0, 3, 1, 2)).abs().max() < 1e-14)


def _slope(name: str, x: float) -> float:
    """The derivative of an activation of torch, such as sigmoid, at `x`."""
    from ..illustrations import slope

    return slope(name, x)


def _output_gradient(loss: str, x: float) -> float:
    """The derivative of a loss by the input `x` of the sigmoid that is the output, where the target
    is one."""
    from ..illustrations import output_gradient

    return output_gradient(loss, x)


def _reduction(which: str, body: str = "conv") -> Figures:
    """A grid reduction of 35x35x320 to 640 maps as `costlab grid` has it: the pool first, the pool
    last, a convolution beside the pool, or the module that Figure 10 of Rethinking draws."""
    schemes = _reductions(body)
    if which not in schemes:
        raise LedgerError(f"no reduction {which!r}; there are {', '.join(schemes)}")
    return schemes[which]


@lru_cache(maxsize=_CACHED)
def _reductions(body: str) -> dict[str, Figures]:
    from ..grid import grid

    traces = (scheme.trace for scheme in grid(35, 320, 640, body=body).schemes)
    return dict(zip(("first", "last", "beside", "drawn"), map(Figures, traces), strict=True))


def _printed_cells(name: str, column: str, verdict: str | None = None) -> int:
    """How many cells of a column of a network's printed table there are; of one `verdict` of
    `costlab audit`, or "accounted" for those that are accounted for."""
    from ..audit.causes import Verdict

    cells = [cell for cell in _audit(name).cells if cell.column == column and not cell.where]
    if verdict is None:
        return len(cells)
    if verdict == "accounted":
        return sum(cell.accounted for cell in cells)
    if verdict not in tuple(Verdict):
        raise LedgerError(f"no verdict {verdict!r}; there are accounted, {', '.join(Verdict)}")
    return sum(cell.verdict == verdict for cell in cells)


@lru_cache(maxsize=_CACHED)
def _audit(name: str) -> Audit:
    from ...trace.build import traced
    from ..audit import audit_published

    def find(model: str) -> Trace:
        return traced(lambda: zoo.build(model), zoo.input_shape(model), spec=model)

    return audit_published(find(name), find)


def _rounded(number: float, digits: int | None = None) -> float:
    """As `round`; of no more digits than any number here has."""
    if digits is not None and abs(digits) > _MOST_DIGITS:
        raise ValueError(f"{digits} digits are too many")
    return round(number, digits)


# those that run torch, which takes longer than arithmetic
RUNS = frozenset(
    [
        "model",
        "module",
        "convs",
        "pointwise_is_linear",
        "slope",
        "output_gradient",
        "reduction",
        "printed_cells",
    ]
)
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "model": _model,
    "module": _module,
    "convs": _convs,
    "published": _published,
    "fact": _fact,
    "pointwise_is_linear": _pointwise_is_linear,
    "slope": _slope,
    "output_gradient": _output_gradient,
    "reduction": _reduction,
    "printed_cells": _printed_cells,
    "sum": sum,
    "max": max,
    "min": min,
    "round": _rounded,
    "abs": abs,
    "len": len,
}
