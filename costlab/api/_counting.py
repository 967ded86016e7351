"""What a model costs, and why: tables, totals of memory, comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._narrow import is_path
from ..predict import AnyProfile, AnyRate
from ..sources import Loaded
from ..trace import Trace
from ._arguments import public
from ._models import Model, as_trace, real_model
from ._objects import inputs_of

if TYPE_CHECKING:
    from .._pictures import Picture
    from ..analysis.compare import Comparison
    from ..analysis.memory import Memory
    from ..analysis.pareto import Pareto
    from ..analysis.profile import Profile
    from ..analysis.variants import Variants
    from ..analysis.verify import Verification
    from ..cost import Convention
    from ..tables import Table


@public
def table(
    model: Model,
    *,
    style: str = "auto",
    convention: str | Convention | None = None,
    depth: int | None = None,
    strict: bool = False,
    columns: str | Iterable[str] = (),
    by: str | None = None,
    sort: str | None = None,
    top: int | None = None,
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
) -> Table:
    """The per-layer table of a model, or its totals by kind of operation.

    Args:
        model: a trace, a `costlab.load` result, or a name such as "googlenet".
        style: "paper", "resnet", "layers", or "auto", which chooses and says so in the notes.
        convention: "paper" (weights only, K = 1024) or "macs" (all params); None takes "paper" for
            networks whose paper prints this table, otherwise "macs".
        depth: module depth of the layers style.
        strict: refuse an operation without a formula.
        columns: names of the columns to show, in order, such as ["type", "ops"]; "+FLOPs" adds one
            to the default, and so do the further columns alone, such as ["receptive-field"].
        by: "operator", a row for each kind of operation, or "module", one for each type of module,
            in place of layers; most MACs first unless `sort` says otherwise. The rows add up to
            the totals.
        sort: "macs", "params", "activations", "bytes", "peak", "time" or "predicted": sort the rows
            by this, largest first, and show each row's share; None for the order of execution.
            "bytes" are read and written; "peak" is the most that is alive while a row runs.
        top: show this many rows, and the others as one; by MACs if `sort` is None.
        profile: of a device: a name, a .device file, or what `costlab.load_profile` gives. Adds the
            predicted time of each row, or the bound that a datasheet gives.
        rate: price of an hour of the device, in any currency: the notes say what a million inputs
            cost by the measured or predicted time.

    Raises ValueError for an unknown style, convention, column, `by` or `sort`, for `top` below 1,
    and for time of a trace that is not measured; ProfileError for a profile that cannot be read or
    says nothing of the model; UnknownOpError with `strict`; SourceError for a
    name that is not known."""
    from ..analysis.notes import money
    from ..analysis.ordering import order_named, ordered
    from ..tables import column_names, further_columns
    from ..tables import table as tabulate

    trace = as_trace(model, "table", profile, rate)
    order = order_named(sort or ("macs" if by else None), top, trace)
    names = column_names(columns)
    further = [*further_columns(names), *([order.column] if order and order.asked_for else [])]
    found = tabulate(trace, style, convention, depth, strict, further, by=by)
    found = replace(found, notes=(*found.notes, *money(trace)))
    return (ordered(found, trace, order, top) if order else found).with_columns(names)


@public
def compare(
    *models: Model, profile: AnyProfile | None = None, rate: AnyRate | None = None
) -> Comparison:
    """Two models or more side by side: totals, ratios, stage by stage, published error.

    Args:
        models: two or more, each a trace, a `costlab.load` result, or a name.
        profile, rate: as of `table`; add the predicted time of each, and its price.

    Raises ValueError for fewer than two, ProfileError as `table` does, SourceError for a
    name that is not known."""
    from ..analysis.compare import compare as run

    if len(models) < 2:
        raise ValueError("compare needs two models or more, such as googlenet and alexnet")
    return run([as_trace(model, "compare", profile, rate) for model in models])


@public
def variants(
    base: Model,
    *others: Model,
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
) -> Variants:
    """Variants of a model against one base: params, MACs, activations, bytes and peak memory of
    each, with the change from the base.

    Args:
        base: a trace, a `costlab.load` result, or a name.
        others: the variants, each as the base.
        profile, rate: as of `table`; add the predicted time of each, and its price.

    Raises ValueError without a variant, ProfileError as `table` does."""
    from ..analysis.variants import variants as run

    if not others:
        raise ValueError(
            'variants takes a base and a variant or more: costlab.variants("resnet50", "resnet101")'
        )
    traces = [as_trace(model, "variants", profile, rate) for model in (base, *others)]
    return run(traces[0], traces[1:])


@public
def memory(model: Model) -> Memory:
    """Peak memory in bytes, estimated by liveness: a tensor is alive from the operation that makes
    it to the last one that uses it. For inference, or for a training step if the trace has a
    backward pass.

    Args:
        model: a trace, a `costlab.load` result, or a name.

    Raises TypeError for anything else, SourceError for a name that is not known."""
    from ..analysis.memory import memory as estimate

    return estimate(as_trace(model, "memory"))


@public
def profile(
    model: Model,
    *,
    style: str = "auto",
    depth: int | None = None,
    convention: str | None = None,
    profile: AnyProfile | None = None,
) -> Profile:
    """Params, MACs and activations (elements) of each row of the model's table; its chart shows
    them by stage, or added up from the input.

    Args:
        model: a trace, a `costlab.load` result, or a name.
        style, depth, convention: of the rows, as `costlab.table` takes them.
        profile: of a device, as `costlab.table` takes it; adds predicted times.

    Raises ValueError for an unknown style or convention, ProfileError as `table` does,
    SourceError for a name that is not known."""
    from ..analysis.profile import profile as run

    return run(as_trace(model, "profile", profile), style, depth, convention)


@public
def pareto(*, crops: str = "1") -> Pareto:
    """MACs and params of the zoo's networks against their published top-5 error in percent.

    Args:
        crops: "1" or "10": errors of one network on so many crops of each validation image are
            compared. The others say why they are not.

    Raises ValueError for other numbers of crops."""
    from ..analysis.pareto import pareto as run

    return run(crops)


@public
def diagram(
    model: Model,
    *,
    depth: int | None = None,
    module: str | None = None,
    style: str = "auto",
    convention: str | None = None,
    base: Model | None = None,
    profile: AnyProfile | None = None,
) -> Picture:
    """The block diagram of a model, or of one module as the papers draw it; with a `base`, of both
    beside each other.

    Args:
        model: a trace, a `costlab.load` result, or a name.
        depth: how many blocks inside one another are opened; 0: each block is one box. None: 0, or
            1 in the paper style; of a module what fits a page.
        module: only the layers under this module path.
        style: "paper", one-line boxes as the papers draw them; "cost", with params, multiply-adds
            and a bar of the share; "auto": "paper" for a module, otherwise "cost".
        convention: what params are; None takes that of the model's table.
        base: an earlier version: both on one scale in the cost style, what is not the same marked
            as changed, added or removed.
        profile: of a device, as `costlab.table` takes it; adds the predicted time of each box in
            the cost style.

    Raises ValueError for a negative depth, an unknown style or convention, a module without
    layers, and for the paper style or a convention with a base.
    """
    from .._pictures import diagram as picture
    from ..analysis.diagram import compared
    from ..analysis.diagram import diagram as lay_out

    if base is not None:
        if style == "paper" or convention is not None:
            raise ValueError(
                "a diagram with a base is always in the cost style; leave out style and convention"
            )
        traces = as_trace(base, "diagram", profile), as_trace(model, "diagram", profile)
        return picture(*compared(*traces, depth=depth, module=module, words=("before", "after")))
    return picture(lay_out(as_trace(model, "diagram", profile), depth, module, style, convention))


@public
def verify(
    model: Any,
    inputs: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    train: bool = False,
) -> Verification:
    """Count again with fvcore and torch's `FlopCounterMode`, and explain each difference.

    Args:
        model: a module, with the `inputs` and `kwargs` to call it with; or a name, a
            `costlab.load` result, a saved trace's file or a trace, which stand for the model that
            was traced.
        train: count a training step, forward and backward.

    Raises ModuleNotFoundError without the verify extra."""
    from ..analysis.verify import verify as count

    if hasattr(model, "named_parameters"):
        given = inputs_of("verify", model, inputs, kwargs)
        return count(model, given, dict(kwargs or {}), train=train)
    if not (isinstance(model, (Trace, Loaded)) or is_path(model)):
        raise TypeError(
            "costlab.verify takes a module with its inputs, or the name of a model, "
            f"not {type(model).__name__}"
        )
    loaded = real_model(model)
    return count(
        loaded.model,
        loaded.inputs,
        loaded.kwargs,
        spec=loaded.provenance["spec"],
        train=train,
        notes=loaded.notes,
    )
