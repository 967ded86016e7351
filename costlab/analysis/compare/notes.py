"""What a comparison says in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...predict import comparison_of_predictions
from ..notes import energy, price

if TYPE_CHECKING:
    from ..results import PublishedResult
    from .result import Comparison, Side


def comparison_sentences(comparison: Comparison) -> tuple[str, ...]:
    """What the first network has against each other."""
    a, *others = comparison.sides
    return tuple(
        f"{a.name} has {_times(a.params, b.params, 'parameters', b.name)}"
        f" and {_times(a.macs, b.macs, 'MACs')}{_took(a, b)}"
        for b in others
    )


def comparison_notes(comparison: Comparison) -> tuple[str, ...]:
    """The sentences, what the numbers mean, and where published errors and times are from."""
    sides = comparison.sides
    return (
        *comparison_sentences(comparison),
        "params with biases and norm scales; one MAC = one multiply-add; "
        "stages are layers of one stride",
        *(_published(s.name, s.published) for s in sides if s.published),
        *_not_comparable(sides),
        *(f"time of {s.name}: the whole model, {s.device}" for s in sides if s.seconds),
        *(f"{s.name}: {energy(s.energy)}" for s in sides if s.energy),
        *(f"{s.name}: {price(p)}" for s in sides for p in s.prices),
        *comparison_of_predictions([(s.name, s.prediction) for s in sides if s.prediction]),
        *comparison.caveats,
    )


def _published(name: str, result: PublishedResult) -> str:
    """The row that an error is from."""
    where = f"{result.setting}, {result.data} ({result.source})"
    return f"published error of {name}: {result.network}, {where}"


def _not_comparable(sides: Sequence[Side]) -> tuple[str, ...]:
    """Where the errors were measured in different ways."""
    protocols = {s.published.protocol for s in sides if s.published}
    if len(protocols) < 2:
        return ()
    return (
        "the published errors are for different crops, networks or images: do not compare them",
    )


def _times(a: int, b: int, what: str, than: str = "") -> str:
    """How many times more or fewer of something one network has than another."""
    than = than and f" than {than}"
    if a == b:
        return f"as many {what}{than.replace('than', 'as', 1)}"
    if not a or not b:
        return f"{a:,} {what}{than}'s {b:,}"
    ratio, word = (a / b, "more") if a > b else (b / a, "fewer")
    return (
        f"{ratio:.1f} times {word} {what}{than}"
        if ratio >= 1.05
        else f"{100 * (ratio - 1):.1f}% {word} {what}{than}"
    )


def _took(a: Side, b: Side) -> str:
    """What the times say, where both were measured in one place."""
    if not (a.seconds and b.seconds and a.device == b.device):
        return ""
    ratio = a.seconds / b.seconds
    return (
        f", and takes {ratio:.1f} times as long"
        if ratio >= 1.05
        else f", and takes {100 * ratio:.0f}% of its time"
    )
