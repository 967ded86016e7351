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


def counted(number: int, word: str) -> str:
    """1 convolution, 2 convolutions."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def in_unit(value: float, size: int, letter: str) -> str:
    """A count in one given unit, as the papers print it: 2.65K, 159.5K, 1,018K; 0 without one.

    A count below 0.01 of it is in the unit that suits it: 2.56K, not 0.00M."""
    count = value / size
    if abs(count) < 0.01:
        return scaled(value) if value else "0"
    if abs(count) >= 1000:
        return f"{count:,.0f}{letter}"
    return f"{count:.{1 if abs(count) >= 10 else 2}f}{letter}"


def short(value: float) -> str:
    """A count for an axis or a sentence, at most three digits, no trailing zeros: 128M, 9.5K."""
    size, letter = _unit_of_three_digits(value)
    return f"{_rounded(value / size):.15g}{letter}" if letter else f"{value:g}"


def byte_size(value: int) -> str:
    """A size in a sentence: "4.29 GB", with GB for 10^9 bytes, or "512 bytes"."""
    text = short(value)
    return f"{text[:-1]} {text[-1]}B" if text[-1].isalpha() else f"{text} bytes"


def three_digits(value: float) -> str:
    """A count beside a bar or a point, with exactly three digits from 1,000 on: 128M, 9.50K."""
    size, letter = _unit_of_three_digits(value)
    if not letter:
        return f"{value:g}"
    count = _rounded(value / size)
    decimals = 2 if abs(count) < 10 else 1 if abs(count) < 100 else 0
    return f"{count:.{decimals}f}{letter}"


def _rounded(count: float) -> float:
    """To three digits."""
    return float(f"{count:.3g}")


def _unit_of_three_digits(value: float) -> tuple[int, str]:
    """The unit in which a count that is rounded to three digits lies below 1,000, or T; (1, "")
    below 1,000."""
    if abs(value) < PREFIXES[0][0]:
        return 1, ""
    return next((u for u in PREFIXES if _rounded(abs(value) / u[0]) < 1000), PREFIXES[-1])
