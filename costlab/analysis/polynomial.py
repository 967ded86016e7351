"""The exact cost of a network as a polynomial in batch, height and width (or tokens), where it is
one.

A layer's output is affine in its input on sizes that differ by the network's whole stride, so
counts are polynomials there. They are found by interpolation between traces and checked against
others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import lcm

from ..graph import layer_graph
from ..trace import Trace
from . import notes

DEGREES = (2, 4)
_FAR = 40  # steps above the base of the farthest check

Sizes = tuple[int, ...]
Count = Callable[..., int]


@dataclass(frozen=True)
class Polynomial:
    """A count as a polynomial of sizes.

    Attributes:
        what: what is counted.
        names: of the sizes.
        base, step: it is valid for sizes base + step k.
        terms: exact coefficients (numerator, denominator) by exponents of `names`.
        checked: how many traces agree, beyond those that it was found from.
    """

    what: str
    names: tuple[str, ...]
    base: Sizes
    step: Sizes
    terms: dict[tuple[int, ...], tuple[int, int]]
    checked: int

    def __call__(self, *sizes: int) -> int | Fraction:
        """The value at sizes, one a name: an int where it is whole, as it is on base + step k."""
        total = Fraction(0)
        for exponents, coefficient in self.terms.items():
            term = Fraction(*coefficient)
            for size, exponent in zip(sizes, exponents, strict=True):
                term *= size**exponent
            total += term
        return int(total) if total.denominator == 1 else total

    def __str__(self) -> str:
        return notes.polynomial(self)


def stride(trace: Trace) -> int:
    """The network's whole stride: the least size step on which every layer's output steps
    evenly."""
    jumps = {int(j) for n in layer_graph(trace) for j in n.jump or () if j == int(j) and j >= 1}
    return lcm(*jumps) if jumps else 1


def polynomial(
    count: Count,
    names: Sequence[str],
    base: Sequence[int],
    step: Sequence[int],
    what: str = "MACs",
) -> Polynomial | None:
    """The polynomial of `count(*sizes)` on sizes base + step k, or None where there is none up to
    degree 4 in each size.

    `count` may raise for sizes that the model does not take; that goes through."""
    start, stride = tuple(base), tuple(step)
    for degree in DEGREES:
        terms = _interpolated(count, names, _marks(start, stride, degree))
        found = Polynomial(what, tuple(names), start, stride, terms, 0)
        agree = list(_agreements(found, count, degree))
        if all(agree):
            return replace(found, checked=len(agree))
    return None


def _marks(base: Sizes, step: Sizes, degree: int) -> list[list[int]]:
    """The sizes of each axis to interpolate between; the first axis is the batch, of degree 2 at
    most."""
    return [
        [b + s * k for k in range(degree + 1 if i else 3)]
        for i, (b, s) in enumerate(zip(base, step, strict=True))
    ]


def _interpolated(
    count: Count, names: Sequence[str], marks: Sequence[Sequence[int]]
) -> dict[tuple[int, ...], tuple[int, int]]:
    """The terms of the polynomial through the counts at all combinations of `marks`."""
    import sympy

    symbols = sympy.symbols(names)
    values = {sizes: count(*sizes) for sizes in product(*marks)}

    def fit(fixed: Sizes) -> sympy.Expr:
        if len(fixed) == len(symbols):
            return sympy.Integer(values[fixed])
        axis = len(fixed)
        points = [(m, fit((*fixed, m))) for m in marks[axis]]
        return sympy.expand(sympy.interpolate(points, symbols[axis]))

    terms = sympy.Poly(fit(()), *symbols).as_dict()
    return {exponents: (int(c.p), int(c.q)) for exponents, c in terms.items()}


def _agreements(found: Polynomial, count: Count, degree: int) -> Iterator[bool]:
    """Whether `found` gives the count, for each size to check that the model takes."""
    required = set(_above(found, degree))
    for sizes in dict.fromkeys((*_above(found, degree), *_beyond(found))):
        try:
            counted = count(*sizes)
        except Exception:  # too small or too large for the model
            if sizes in required:
                raise
            continue
        yield found(*sizes) == counted


def _above(found: Polynomial, degree: int) -> Iterator[Sizes]:
    """Three sizes just above those that the polynomial was found from; the model must take them."""
    axes = list(zip(found.base, found.step, strict=True))
    for i in range(3):
        yield tuple(b + s * (degree + 2 + (i + j) % 3) for j, (b, s) in enumerate(axes))


def _beyond(found: Polynomial) -> Iterator[Sizes]:
    """Two sizes below the base, as far down as the model goes, and one far above; the same
    batch."""
    batch, *grid = found.base
    steps = found.step[1:]
    for part in (2, 3):
        yield (
            batch,
            *(
                max(b % s or s, b - s * (b // s * part // 4))
                for b, s in zip(grid, steps, strict=True)
            ),
        )
    yield (batch, *(b + s * _FAR for b, s in zip(grid, steps, strict=True)))
