"""Figures and measured times of variants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...measure.naming import RunName, words
from ...predict import prediction_of
from ...tables import caveats, display_names, version_name
from ...trace import Timing, Trace
from ..limits import measure_block
from ..price import prices
from .result import COUNTED, Condition, Variant, Variants


def variants(base: Trace, others: Sequence[Trace], measured: Iterable[Trace] = ()) -> Variants:
    """Compare variants with their base.

    Args:
        base, others: traces of one kind of input; their figures are counted from these.
        measured: measured traces of the same models by name, on any devices; those of other
            models are left out.

    Raises ValueError without a variant."""
    if not others:
        raise ValueError("there is no variant to compare with the base")
    traces = (base, *others)
    names = display_names([version_name(t) for t in traces])
    first, *rest = (
        Variant(
            name,
            {q: measure_block(t, q) or 0.0 for q in COUNTED},
            prediction_of(t),
            prices(t),
        )
        for name, t in zip(names, traces, strict=True)
    )
    return Variants(first, tuple(rest), _conditions(names, measured), caveats(*traces))


def _conditions(names: Sequence[str], measured: Iterable[Trace]) -> tuple[Condition, ...]:
    """The conditions under which the base and a variant at least were measured, by name."""
    wanted = [words(name) for name in names]
    found: dict[str, dict[str, Timing]] = {}
    for trace in measured:
        run = RunName.of(trace)
        if run.model in wanted and trace.measured:
            said = f"{run.device.upper()} {run.dtype} {run.layout.upper()}, {run.inputs}"
            found.setdefault(said, {})[run.model] = trace.measured.total
    base, *rest = wanted
    return tuple(
        Condition(said, times[base], tuple(times.get(name) for name in rest))
        for said, times in sorted(found.items())
        if base in times and len(times) > 1
    )
