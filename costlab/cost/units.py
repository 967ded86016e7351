"""How a count is shortened for people: K, M, G and T as powers of 1,000, defined once."""

from __future__ import annotations

PREFIXES = ((10**3, "K"), (10**6, "M"), (10**9, "G"), (10**12, "T"))


def scaled(value: float, decimals: int = 2) -> str:
    """A count in the unit that suits its size: "25.56M" for 25,557,032, "2.56K", "512".

    The number of decimals is fixed, as in torchvision's and timm's tables, so that figures of one
    unit line up. A value that rounds up to 1,000 takes the next unit.
    """
    if round(abs(value)) < PREFIXES[0][0]:
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    for size, letter in PREFIXES:
        if round(abs(value) / size, decimals) < 1000 or letter == PREFIXES[-1][1]:
            return f"{value / size:,.{decimals}f}{letter}"
    raise AssertionError("the last prefix takes every value")


def in_unit(value: float, size: int, letter: str) -> str:
    """A count in one given unit, as the papers print it: 2.65K, 159.5K, 1,018K; 0 without one."""
    count = value / size
    if not count:
        return "0"
    if abs(count) >= 1000:
        return f"{count:,.0f}{letter}"
    return f"{count:.{1 if abs(count) >= 10 else 2}f}{letter}"


def short(value: float) -> str:
    """A count for a label or an axis, at most three digits, no trailing zeros: 128M, 9.5K."""
    for size, letter in reversed(PREFIXES):
        if abs(value) >= size:
            digits = ".3g" if abs(value) < 100 * size else ".0f"
            return f"{value / size:{digits}}{letter}"
    return f"{value:g}"
