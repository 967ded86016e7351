"""Draws of a Halton sequence (Halton 1960), which fills a space evenly however many are taken."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)
_SKIPPED = 20  # draws; the first of all bases lie on a line


class Draw:
    """One point of the sequence; each call takes the next dimension."""

    def __init__(self, index: int):
        self._index, self._dimension = index + _SKIPPED, 0

    def unit(self) -> float:
        """From 0 to 1."""
        base = _PRIMES[self._dimension]
        self._dimension += 1
        index, fraction, found = self._index, 1.0, 0.0
        while index:
            fraction /= base
            index, digit = divmod(index, base)
            found += digit * fraction
        return found

    def size(self, least: int, most: int, multiple: int = 1) -> int:
        """A size, evenly by its logarithm, rounded to a multiple."""
        value = least * (most / least) ** self.unit()
        return max(least, round(value / multiple) * multiple)

    def of(self, *values: T) -> T:
        """One of several values."""
        return values[min(int(self.unit() * len(values)), len(values) - 1)]
