"""Traces in, a comparison out."""

from __future__ import annotations

from collections.abc import Sequence

from ... import reference
from ...cost import total
from ...graph import layer_graph, longest
from ...trace import Trace
from .result import Comparison, Side
from .stages import stages


def compare(traces: Sequence[Trace]) -> Comparison:
    """Compare two or more traces. Raises ValueError for fewer."""
    if len(traces) < 2:
        raise ValueError("a comparison needs two models or more")
    return Comparison(tuple(map(_side, traces)))


def published(name: str) -> tuple[float | None, float | None, str]:
    """(top-1, top-5, setting and source) as published for a zoo network, errors in percent; None
    where there is none."""
    for model in reference.load("zoo_errors"):
        if model["model"] != name:
            continue
        for row in reference.load("published_results"):
            if (row["network"], row["setting"]) == (model["network"], model["setting"]):
                where = f"{row['network']}, {row['setting']} ({row['source']})"
                return _percent(row["top1_err"]), _percent(row["top5_err"]), where
    return None, None, ""


def _percent(cell: str) -> float | None:
    """The number that a printed cell starts with; None where it is empty."""
    return float(cell.split()[0]) if cell else None


def _side(trace: Trace) -> Side:
    whole, name = total(trace), trace.provenance["model"]
    top1, top5, setting = published(name)
    seconds, device = _measured(trace)
    return Side(
        name=name,
        params=whole.params,
        macs=whole.macs,
        activations=whole.activations,
        depth=longest(layer_graph(trace)),
        stages=stages(trace),
        top1=top1,
        top5=top5,
        published=setting,
        seconds=seconds,
        device=device,
        backward=total(trace, trace.backward).macs if trace.trained else None,
    )


def _measured(trace: Trace) -> tuple[float | None, str]:
    """Seconds of the whole model, and where they were measured."""
    if trace.measured is None:
        return None, ""
    where = trace.measured.conditions
    return trace.measured.total.median, ", ".join(where[k] for k in ("device", "dtype", "layout"))
