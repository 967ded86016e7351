"""How likely a wrong number is to be explained all the same.

A wrong number is taken to be off by up to a factor of two either way, every ratio as likely as
another. The more numbers an explanation could have given, the more likely it fits one by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log2

LIMIT = 0.05  # an explanation that a wrong number fits more often is weak evidence
_OCTAVES = 2.0  # the width of the range of wrong numbers: from half to double


def share(prints: Iterable[int], printed: int) -> float:
    """The chance that a wrong number prints as one of these, in units of the last printed digit.

    `printed`: the number; what is more than a factor of two away is no number that it was taken
    for."""
    near = (n for n in set(prints) if printed <= 2 * n <= 4 * printed)
    widths = (log2((n + 0.5) / (n - 0.5)) if n > 0 else _OCTAVES for n in near)
    return min(1.0, sum(widths) / _OCTAVES)


def at_least(hits: int, chances: Sequence[float]) -> float:
    """The chance that at least so many of independent events happen, each with its own chance."""
    counts = [1.0]  # the chance of each number of events so far
    for p in chances:
        counts = [
            (counts[n] if n < len(counts) else 0.0) * (1 - p) + (counts[n - 1] * p if n else 0.0)
            for n in range(len(counts) + 1)
        ]
    return min(1.0, sum(counts[hits:]))
