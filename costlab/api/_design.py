"""Design choices of the GoogLeNet and Inception papers, each counted by tracing both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .._result import Result
from ..predict import AnyProfile, Prediction, as_profile, prediction_of
from ._arguments import public
from ._models import Model, as_trace

if TYPE_CHECKING:
    from ..analysis.aux import AuxCosts, Probe
    from ..analysis.bottleneck import Bottleneck
    from ..analysis.grid import GridReduction, Reduction
    from ..analysis.head import Heads
    from ..cost import Total
    from ..tables import Sheet


@dataclass(frozen=True)
class Reductions(Result):
    """The places where a model's grid shrinks; `whole`: the total of the model; `caveats`: notes on
    how it was built and traced; `prediction` of its time, where a profile was given."""

    model: str
    places: tuple[Reduction, ...]
    whole: Total
    caveats: tuple[str, ...] = ()
    prediction: Prediction | None = field(default=None, repr=False)

    @property
    def sheet(self) -> Sheet:
        """A row a place."""
        from ..analysis.grid import reduction_sheet

        sheet = reduction_sheet(self.model, self.places, self.whole, prediction=self.prediction)
        return replace(sheet, notes=(*sheet.notes, *self.caveats))


@public
def grid(
    *,
    d: int = 35,
    c_in: int = 320,
    c_out: int = 640,
    kernel: int = 3,
    pool: str = "valid",
    body: str = "conv",
    train: bool = False,
    profile: AnyProfile | None = None,
) -> GridReduction:
    """Grid reductions of *Rethinking*, Section 5: pool first, pool last, in parallel, Figure 10.

    Args:
        d: side of the input grid, with `c_in` channels; `c_out` channels come out.
        kernel: of the convolution.
        pool: "valid" (3x3/2), "padded" (3x3/2) or "2x2".
        body: what runs in parallel to the pooling, "conv" or "inception".
        train: count the backward pass too.
        profile: of a device, as `costlab.table` takes it; adds the predicted time of each.

    Raises ValueError for a case that does not exist, ProfileError for a profile that cannot be
    read."""
    from ..analysis.grid import grid as run

    chosen = None if profile is None else as_profile(profile)
    return run(d, c_in, c_out, kernel, pool, body, train=train, profile=chosen)


@public
def reductions(model: Model, *, profile: AnyProfile | None = None) -> Reductions:
    """The places where a model's grid shrinks, and what a parallel form would save there:
    *Rethinking the Inception Architecture* (arXiv 1512.00567), Section 5.

    Args:
        model: a trace, a `costlab.load` result, or a name.
        profile: of a device, as `costlab.table` takes it: what the parallel form saves of the time
            there.

    Raises TypeError for anything else, SourceError for a name that is not known, ProfileError as
    `costlab.table` does."""
    from ..analysis.grid import reductions as find
    from ..cost import total
    from ..tables import caveats

    trace = as_trace(model, "reductions", profile)
    places = tuple(find(trace))
    prediction = prediction_of(trace)
    return Reductions(trace.provenance["model"], places, total(trace), caveats(trace), prediction)


@public
def bottleneck(
    widths: Sequence[int] | None = None, *, c_in: int = 192, grid: int = 28, train: bool = False
) -> Bottleneck:
    """Naive against reduced Inception modules: GoogLeNet's nine and the network chained. *Going
    Deeper with Convolutions* (arXiv 1409.4842), Figure 2(a) and 2(b).

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


@public
def head(
    *,
    c_in: int = 256,
    side: int = 6,
    classes: int = 1000,
    hidden: int = 4096,
    train: bool = False,
) -> Heads:
    """Fully connected heads against global average pooling on a (c_in, side, side) feature map:
    *Network in Network* (arXiv 1312.4400), Section 3.2. The defaults are AlexNet's.

    Args:
        c_in: channels of the feature map.
        side: its height and width.
        classes: outputs.
        hidden: outputs of each of the two hidden layers.
        train: count the backward pass too.

    Raises ValueError for sizes below 1."""
    from ..analysis.head import heads

    return heads(c_in, side, classes, hidden, train)


@public
def aux(models: str | Iterable[str] = ()) -> AuxCosts:
    """Auxiliary classifiers: params and MACs in training, none at inference.

    Args:
        models: zoo networks that have heads; none for all of them.

    Raises ValueError for a network without heads."""
    from ..analysis.aux import WITH_HEADS, aux_costs

    names = [models] if isinstance(models, str) else list(models)
    return aux_costs(names or WITH_HEADS)


@public
def probe(
    model: str = "cnds8",
    *,
    iterations: int = 10,
    batch: int = 4,
    seeds: Sequence[int] = (0, 1, 2),
    setting: str = "released",
    beside: str | Iterable[str] = (),
    threshold: float | None = None,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Probe:
    """Mean gradients of each convolution with and without auxiliary heads, over the first training
    iterations on handwritten digits: where Wang et al. (arXiv 1505.02496) place a head.

    For your own model and loader use `costlab.analysis.aux.probe`.

    Args:
        model: a zoo network that has heads, or a file that `Probe.record` wrote, which is read.
        iterations: training iterations for each seed (Wang et al.: 10 to 50).
        batch: images per batch.
        seeds: one run for each; a seed sets weights, images and dropout.
        setting: "released" (weights and biases as in the authors' prototxt), "sigmoid",
            "no-biases", "deeper", "batch-norm" or "he".
        beside: other settings to run too, without heads; "all" for all of them.
        threshold: mean gradient under which the rule places a head (1e-7).
        device: "auto", "cuda" or "cpu".
        progress: called with (done, of).

    Raises ValueError for a network without heads, an unknown setting or a file of another kind,
    ModuleNotFoundError without the probe extra."""
    from ..analysis.aux import SETTINGS, THRESHOLD, probe_zoo, read_probe

    if model.endswith(".json"):
        return read_probe(model)
    others = [beside] if isinstance(beside, str) else list(beside)
    if others == ["all"]:
        others = [word for word in SETTINGS if word != setting]
    return probe_zoo(
        model,
        iterations=iterations,
        batch=batch,
        seeds=seeds,
        setting=setting,
        beside=others,
        threshold=THRESHOLD if threshold is None else threshold,
        device=device,
        progress=progress,
    )
