"""What both peers share: a count is closed with the difference that nothing explains."""

from __future__ import annotations

from collections.abc import Iterable

from ...trace import Trace
from .result import Cause, Count, Difference
from .shapes import complex_macs


def failure(error: Exception) -> str:
    """The first line of an error, with its type."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"


def complex_difference(trace: Trace) -> list[Difference]:
    """Complex products, which the peers count as one multiply-add and costlab as four."""
    macs = complex_macs(trace)
    return [Difference(Cause.COMPLEX, macs // 4 * 3)] if macs else []


def closed(
    peer: str, version: str, theirs: int, ours: int, differences: Iterable[Difference]
) -> Count:
    """A peer's count, with what is left over of the difference as one of unknown cause."""
    found = list(differences)
    rest = ours - theirs - sum(d.macs for d in found)
    if rest:
        found.append(Difference(Cause.UNKNOWN, rest))
    return Count(peer, version, theirs, tuple(found))
