"""What is said of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..._narrow import is_tuple
from ...predict import Estimate, Saving, comparison_of_predictions, prediction_of
from ...tables import measured_note, version_name
from ...tables.predicted import KEYS
from ...trace import Trace
from ..notes import COUNTED, prices_of
from ..price import items_of
from .figures import Sides, relative
from .sheets import label

if TYPE_CHECKING:
    from ..limits import Judgement
    from .result import Change

# cells that have columns of their own, and names
_COUNTED_APART = (
    *("params", "ops", "integer ops", "time", "backward", "name", "layer name"),
    *KEYS,
)
# quantities of a verdict
_SUMMED_UP = ("macs", "params", "peak", "time", "predicted-ms", "predicted-price")
_PRICES = ("predicted-low-price", "predicted-price", "predicted-high-price")
_SHOWN = 3  # differences of one block


def verdict(change: Change) -> str:
    """What changed and which limits are met, in a line: `MACs +3.20%, params unchanged, peak memory
    +1.10%; 2 changed, 1 added; limits failed: 1 of 2`."""
    shares = (_share(change, name) for name in _SUMMED_UP if name in change.figures)
    blocks = [f"{n} {what}" for what, n in change.counts.items() if n and what != "equal"]
    parts = [", ".join(shares), ", ".join(blocks) or "no block differs"]
    if change.judgements:
        parts.append(f"limits failed: {len(change.failed)} of {len(change.judgements)}")
    return "; ".join(parts)


def _share(change: Change, name: str) -> str:
    """A quantity and its change, of predictions with a word where its sign is not decided."""
    share = relative(change.figures[name])
    unsure = " (not decided)" if share and _outcome(change, name) == "not decided" else ""
    return f"{label(name)} {_percent(share)}{unsure}"


def _outcome(change: Change, name: str) -> str | None:
    """Whether the sign of a predicted time's or price's change is decided, as `Saving` says it;
    None of what is counted. A price is as sure as the time, unless a call has other inputs."""
    if not name.startswith("predicted") or (time := change.time) is None:
        return None
    if name != "predicted-price" or len({items_of(t) for t in change.traces}) == 1:
        return time.outcome
    low, price, high = (change.figures[end] for end in _PRICES)
    return Saving(
        Estimate(low.base or 0.0, price.base, high.base),
        Estimate(low.head or 0.0, price.head, high.head),
    ).outcome


def _percent(share: float | None) -> str:
    return "is new" if share is None else f"{100 * share:+.2f}%" if share else "unchanged"


def failed(judgement: Judgement) -> str:
    """A limit whose condition holds."""
    return f"failed: {judgement}"


def measured(trace: Trace) -> str:
    """How the times of one side were measured."""
    assert trace.measured
    return f"{version_name(trace)}: {measured_note(trace.measured)}"


def on_device(traces: Sides[Trace]) -> tuple[str, ...]:
    """Where predicted times are from, and what the head saves by them; nothing without a
    profile. The prices of both, where there is a rate."""
    named = [(version_name(t), prediction_of(t)) for t in traces]
    said = comparison_of_predictions([(name, p) for name, p in named if p])
    return (*said, *prices_of(traces))


def changes(equal: int) -> tuple[str, ...]:
    """`equal`: blocks that are the same in base and head."""
    alike = f"{equal} block{' is' if equal == 1 else 's are'} equal and not listed; " * bool(equal)
    return (f"{alike}{COUNTED}",)


def was(path: str) -> str:
    """Where a block was in the base."""
    return f"was {path or 'the model'}"


def reordered() -> str:
    """A block that runs at another place."""
    return "runs at another place"


def cells(base: Mapping[str, object], head: Mapping[str, object]) -> list[str]:
    """The cells of a row that differ."""
    return [
        f"{key}: {base.get(key, '') or 'none'} -> {head.get(key, '') or 'none'}"
        for key in dict.fromkeys([*base, *head])
        if key not in _COUNTED_APART and base.get(key) != head.get(key)
    ]


def first_few(differences: Sequence[str]) -> list[str]:
    """As many as are shown, and how many more there are."""
    more = len(differences) - _SHOWN
    return [*differences[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def replaced(base: object, head: object) -> str:
    """An operation in the place of another; None for none."""
    return f"{base or 'none'} -> {head or 'none'}"


def argument(module_type: str, name: str, base: object, head: object) -> str:
    """Another argument or other shapes of the same operation; no name for those of its output."""
    subject = f"{module_type} {name}" if name else module_type
    return f"{subject}: {_spell(base)} -> {_spell(head)}"


def _spell(value: object) -> str:
    if not is_tuple(value):
        return str(value)
    if value and isinstance(value[0], tuple):
        return " and ".join(map(_spell, value))
    return "x".join(map(str, value))
