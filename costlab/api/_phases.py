"""Language models in use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..sources import Loaded, load
from ..trace import Trace
from ._models import Build

if TYPE_CHECKING:
    from ..analysis.phases import Phases


def phases(
    model: Loaded | str | os.PathLike[str],
    *,
    context: int = 4096,
    batch: int = 1,
    arguments: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> Phases:
    """Prefill and one decoding step with a KV cache of a causal language model: MACs and bytes of
    each, the size of the cache, active and total params.

    Args:
        model: a `costlab.load` result, or a name such as "transformers:LlamaConfig".
        context: tokens of a sequence, which prefill reads and decoding finds in its cache.
        batch: sequences.
        arguments: of the configuration, where `model` is a name.
        device: "auto", "cuda", "cpu" or "meta".

    Raises SourceError for a model that is not a causal language model of transformers, and for
    sizes below 1; TraceError where it cannot run."""
    from ..analysis.phases import phases as together
    from ..sources.phases import Use, in_phase

    def traced(phase: str) -> Trace:
        def build(where: str) -> Loaded:
            found = model if isinstance(model, Loaded) else _named(model, arguments, where)
            return in_phase(found, Use(phase, context, batch))

        return Build(build).trace(device)

    return together(traced("prefill"), traced("decode"))


def _named(name: Any, arguments: Mapping[str, Any] | None, device: str) -> Loaded:
    found = load(os.fspath(name), arguments=arguments, device=device)
    if not isinstance(found, Loaded):
        raise TypeError("costlab.phases takes the name of a model, not a saved trace")
    return found
