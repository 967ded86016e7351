"""What an hour of a device costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class Rate:
    """The price of an hour of a device, in any currency; above 0.

    `fallback`: whether what a file names for its own models goes before it, as before a default of
    the user's; it is left out where there is no time.

    Raises ValueError for a `price` that is not above 0."""

    price: float
    fallback: bool = False

    def __post_init__(self) -> None:
        if not (isfinite(self.price) and self.price > 0):
            raise ValueError(f"a rate of {self.price} an hour is no price; give a number above 0")


AnyRate = float | Rate


def as_rate(rate: AnyRate | None) -> Rate | None:
    """A rate by number or object; None for none. Raises ValueError as `Rate` does."""
    return Rate(rate) if isinstance(rate, (int, float)) else rate
