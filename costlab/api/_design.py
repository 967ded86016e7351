"""Design choices of the GoogLeNet and Inception papers, each counted by tracing both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .._result import Result
from ._models import Model, as_trace

if TYPE_CHECKING:
    from ..analysis.aux import AuxCosts, Flow
    from ..analysis.bottleneck import Bottleneck
    from ..analysis.grid import GridReduction, Reduction
    from ..analysis.head import Heads
    from ..cost import Total
    from ..tables import Sheet


@dataclass(frozen=True)
class Reductions(Result):
    """The places where a model's grid shrinks; `whole`: the total of the model; `caveats`: what a
    reader must know of how it was built and traced."""

    model: str
    places: tuple[Reduction, ...]
    whole: Total
    caveats: tuple[str, ...] = ()

    @property
    def sheet(self) -> Sheet:
        """A row a place."""
        from ..analysis.grid import reduction_sheet

        sheet = reduction_sheet(self.model, self.places, self.whole)
        return replace(sheet, notes=(*sheet.notes, *self.caveats))


def grid(
    *,
    d: int = 35,
    c_in: int = 320,
    c_out: int = 640,
    kernel: int = 3,
    pool: str = "valid",
    body: str = "conv",
    train: bool = False,
) -> GridReduction:
    """Grid reductions of *Rethinking*, Section 5: pool first, pool last, in parallel, Figure 10.

    Args:
        d: side of the input grid, with `c_in` channels; `c_out` channels come out.
        kernel: of the convolution.
        pool: "valid" (3x3/2), "padded" (3x3/2) or "2x2".
        body: what is done beside the pooling, "conv" or "inception".
        train: count the backward pass too.

    Raises ValueError for a case that does not exist."""
    from ..analysis.grid import grid as run

    return run(d, c_in, c_out, kernel, pool, body, train=train)


def reductions(model: Model) -> Reductions:
    """The places where a model's grid shrinks, and what a parallel form would save there."""
    from ..analysis.grid import reductions as find
    from ..cost import total
    from ..tables import caveats

    trace = as_trace(model, "reductions")
    places = tuple(find(trace))
    return Reductions(trace.provenance["model"], places, total(trace), caveats(trace))


def bottleneck(
    widths: Sequence[int] | None = None, *, c_in: int = 192, grid: int = 28, train: bool = False
) -> Bottleneck:
    """Naive against reduced Inception modules: GoogLeNet's nine and the network chained.

    Args:
        widths: one module of your own instead: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool
            proj; on `c_in` channels of a `grid` x `grid` input.
        train: count the backward pass too.

    Raises ValueError for anything but six widths from 1."""
    from ..analysis.bottleneck import bottleneck as run
    from ..analysis.bottleneck import one_module

    if widths is None:
        return run(train)
    return one_module(widths, c_in=c_in, grid=grid, train=train)


def head(
    *,
    c_in: int = 256,
    side: int = 6,
    classes: int = 1000,
    hidden: int = 4096,
    train: bool = False,
) -> Heads:
    """Fully connected heads against global average pooling on a (c_in, side, side) feature map.

    Raises ValueError for sizes below 1."""
    from ..analysis.head import heads

    return heads(c_in, side, classes, hidden, train)


def aux(models: str | Iterable[str] = ()) -> AuxCosts:
    """Auxiliary classifiers: params and MACs in training, none at inference.

    Args:
        models: zoo networks that have heads; none for all of them.

    Raises ValueError for a network without heads."""
    from ..analysis.aux import WITH_HEADS, aux_costs

    names = [models] if isinstance(models, str) else list(models)
    return aux_costs(names or WITH_HEADS)


def probe(
    model: str = "cnds8",
    *,
    iterations: int = 20,
    batch: int = 8,
    threshold: float | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: Callable[[int], None] | None = None,
) -> Flow:
    """Mean gradients of each layer with and without auxiliary heads, over real training iterations
    on handwritten digits: where Wang et al. (arXiv 1505.02496) place a head.

    For your own model and loader use `costlab.analysis.aux.probe`.

    Raises ValueError for a network without heads, ModuleNotFoundError without the probe extra."""
    from ..analysis.aux import THRESHOLD, probe_zoo

    return probe_zoo(
        model,
        iterations=iterations,
        batch=batch,
        threshold=THRESHOLD if threshold is None else threshold,
        seed=seed,
        device=device,
        progress=progress,
    )
