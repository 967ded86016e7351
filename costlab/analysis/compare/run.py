"""Traces in, a comparison out."""

from __future__ import annotations

from collections.abc import Sequence

from ...cost import total
from ...graph import layer_graph, longest
from ...predict import prediction_of
from ...tables import caveats
from ...trace import Trace
from ..price import energy_of, prices
from ..results import published_for
from .result import Comparison, Side
from .stages import stages


def compare(traces: Sequence[Trace]) -> Comparison:
    """Compare two or more traces. Raises ValueError for fewer."""
    if len(traces) < 2:
        raise ValueError("a comparison needs two models or more")
    sides = tuple(map(_side, traces))
    return Comparison(sides, tuple(traces), caveats(*traces))


def _side(trace: Trace) -> Side:
    whole, name = total(trace), trace.provenance["model"]
    result = next(iter(published_for(name)), None)
    seconds, device = _measured(trace)
    return Side(
        name=name,
        params=whole.params,
        macs=whole.macs,
        activations=whole.activations,
        depth=longest(layer_graph(trace)),
        stages=stages(trace),
        published=result,
        seconds=seconds,
        device=device,
        backward=total(trace, trace.backward).macs if trace.trained else None,
        prediction=prediction_of(trace),
        energy=energy_of(trace),
        prices=prices(trace),
    )


def _measured(trace: Trace) -> tuple[float | None, str]:
    """Seconds of the whole model, and where they were measured."""
    if trace.measured is None:
        return None, ""
    where = trace.measured.conditions
    return trace.measured.total.median, ", ".join(where[k] for k in ("device", "dtype", "layout"))
