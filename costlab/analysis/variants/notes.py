"""What is said of variants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...tables import Note

if TYPE_CHECKING:
    from .result import Variants


def counts(base: str, quantities: Mapping[str, str]) -> tuple[str, ...]:
    """What the columns are: the key of each, and what it counts."""
    said = {key: words for key, words in quantities.items() if words != key}
    changed = [f"{key} change" for key in quantities]
    return (
        Note(f"changes are from {base}", *changed),
        *(Note(f"{key}: {words}", key, f"{key} change") for key, words in said.items()),
    )


def times() -> tuple[str, ...]:
    """How times are compared."""
    return (
        "times are medians of the whole model; a version is faster or slower where its 95% "
        "bootstrap interval and that of the base do not overlap",
    )


def sentence(found: Variants, place: int) -> str:
    """One variant: its MACs, and where it is faster."""
    variant = found.others[place]
    macs = variant.change(found.base, "macs")
    said = f"{variant.name}: {100 * macs:+.1f}% MACs" if macs is not None else variant.name
    by_lead: dict[str, list[str]] = {}
    for condition in found.conditions:
        lead, change = condition.lead(place), condition.change(place)
        if lead is not None and change is not None:
            by_lead.setdefault(lead.value, []).append(f"{condition.name} {100 * change:+.1f}%")
    parts = [f"{lead} on {', '.join(where)}" for lead, where in by_lead.items()]
    return "; ".join([said, *(parts or ["not measured"])])
