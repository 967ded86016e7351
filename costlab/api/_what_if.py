"""A model beside what it would be with other inputs or kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._narrow import is_path
from ..predict import AnyProfile, AnyRate
from ..sources import Loaded, SourceError
from ..trace import Trace
from ._arguments import public
from ._diff import diff
from ._models import Model, load, trace

if TYPE_CHECKING:
    from ..analysis.change import Change


@public
def what_if(
    model: Model,
    changes: str | Sequence[str],
    *,
    inputs: str | Sequence[str] | None = None,
    arguments: Mapping[str, Any] | None = None,
    train: bool = False,
    device: str = "auto",
    style: str = "auto",
    depth: int | None = None,
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
) -> Change:
    """A model compared with a changed one, block by block. The changed model is built and traced:
    nothing is multiplied.

    Args:
        model: a name, or a `costlab.load` result.
        changes: strings, which are applied together: "batch=8", "resolution=384", "height=256",
            "width=192" and "tokens=512" are sizes of the inputs. "kernel=5:3" gives every
            convolution with a kernel of 5 on each side one of 3, with the padding that leaves its
            grid as it is.
        inputs, arguments: for a name, as `costlab.load` takes them.
        train: count the backward pass too.
        device: where to run, as `costlab.trace` takes it.
        style, depth: of the rows that are compared, as `costlab.table` takes them.
        profile, rate: of a device, as `costlab.table` takes them; add the predicted times of both,
            and their prices.

    Raises ValueError for a change that cannot be read, that the model has no such size or kernel
    for, or that no padding keeps the grids with; SourceError for a saved trace, and TraceError
    where the changed model does not run; ProfileError as `costlab.table` does."""
    from ..analysis.what_if import require_same_grids
    from ..analysis.what_if import what_if as read

    asked = read([changes] if isinstance(changes, str) else changes)
    loaded = load(model, inputs, arguments=arguments) if is_path(model) else model
    if not isinstance(loaded, Loaded):
        raise SourceError(_advice(loaded))
    if loaded.use:
        raise SourceError("with a phase, give the context and the batch instead")
    changed = asked.of(loaded)
    base, head = (trace(each, device=device, backward=train) for each in (loaded, changed))
    if asked.kernels:
        require_same_grids(trace(asked.resized(loaded)) if asked.sizes else base, head)
    name = f"{base.provenance['model']} with {asked.words}"
    head = replace(head, provenance={**head.provenance, "revision": name})
    return diff(base, head, style=style, depth=depth, profile=profile, rate=rate)


def _advice(given: object) -> str:
    if isinstance(given, Trace):
        name = given.provenance["model"]
        return f"{name} is a saved trace, and a what-if needs the model itself; name the model"
    return f"costlab.what_if takes the name of a model, not {type(given).__name__}"
