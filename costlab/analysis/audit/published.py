"""The published tables and totals of the zoo's networks, audited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ... import reference, zoo
from ...trace import Trace
from .result import Audit, OtherInput
from .run import OtherTrace, audit
from .totals import audit_totals

_GRIDS = ("output size", "input size")


@dataclass(frozen=True)
class Variant:
    """Another reading of a network: its zoo name, and what it is."""

    model: str
    description: str


# networks of reference.LAYER_TABLES that are audited, with the other readings that are tried
PUBLISHED: dict[str, tuple[Variant, ...]] = {
    "googlenet": (Variant("googlenet_separable", "a separable 7x7 stem of depth multiplier 8"),),
    "bn_inception": (),
    "inception_v2": (),
}


def published_models() -> tuple[str, ...]:
    """Models that have published figures in the reference data."""
    with_totals = (row["model"] for row in reference.load("printed_totals"))
    return tuple(dict.fromkeys([*PUBLISHED, *with_totals]))


def audit_published(trace: Trace, find: Callable[[str], Trace]) -> Audit:
    """A model's published table and totals against its trace.

    `find(name)` traces another reading of the network. Ops and grids are compared only where the
    trace is of the printed input.

    Raises ValueError for a model without published figures."""
    name = trace.provenance["model"]
    other_input = _other_input(trace)
    totals = [row for row in reference.load("printed_totals") if row["model"] == name]
    if other_input:
        totals = [row for row in totals if row["quantity"] == "params"]
    if name in PUBLISHED:
        result = _audit_table(name, trace, find, sizes=other_input is None)
    elif totals or (other_input and name in published_models()):
        result = Audit(f"{name} against published totals")
    else:
        raise ValueError(
            f"no published figures for {name}; there are some for "
            f"{', '.join(published_models())}, or give your own with --against FILE.csv"
        )
    cells = (*result.cells, *audit_totals(trace, totals))
    return replace(result, cells=cells, other_input=other_input)


def _other_input(trace: Trace) -> OtherInput | None:
    """The printed and the traced input, where they differ."""
    name = trace.provenance["model"]
    inputs = trace.provenance["inputs"]
    if name not in zoo.names() or not inputs:
        return None
    printed = "x".join(map(str, zoo.input_shape(name)))
    traced, _dtype = inputs[0]
    return OtherInput(printed, traced) if traced != printed else None


def _audit_table(name: str, trace: Trace, find: Callable[[str], Trace], sizes: bool) -> Audit:
    """The layer table of the paper; `sizes` False leaves out what depends on the input."""
    rows = reference.load(reference.LAYER_TABLES[name])
    title = f"{name} against {rows[0]['source']}"
    if not sizes:
        rows = [
            {k: v for k, v in r.items() if k != "ops" and k.replace("_", " ") not in _GRIDS}
            for r in rows
        ]
    readings = [OtherTrace(v.description, find(v.model)) for v in PUBLISHED[name]]
    return audit(rows, trace, readings, title)
