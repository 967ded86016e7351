"""Language models in use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..sources import Loaded, SourceError
from ..trace import Trace
from ._arguments import public
from ._models import CONTEXT, load, trace

if TYPE_CHECKING:
    from ..analysis.phases import Phases


@public
def phases(
    model: Loaded | str | os.PathLike[str],
    *,
    context: int = CONTEXT,
    batch: int = 1,
    arguments: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> Phases:
    """Prefill and one decoding step with a KV cache of a causal language model: MACs and bytes of
    each, the size of the cache, active and total params.

    Args:
        model: a `costlab.load` result, or a name such as "transformers:LlamaConfig".
        context: tokens of a sequence, which prefill reads into the cache and decoding finds there.
        batch: number of sequences.
        arguments: of the configuration, where `model` is a name.
        device: "auto", "cuda", "cpu" or "meta".

    Raises SourceError for a model that is not a causal language model of transformers, and for
    sizes below 1; TraceError where it cannot run."""
    from ..analysis.phases import phases as together
    from ..sources.phases import PHASES, Use, in_phase

    found = model if isinstance(model, Loaded) else load(model, arguments=arguments)
    if isinstance(found, Trace):
        raise SourceError("costlab.phases takes the name of a model, not a saved trace")
    prefill, decode = (
        trace(in_phase(found, Use(phase, context, batch)), device=device) for phase in PHASES
    )
    return together(prefill, decode)
