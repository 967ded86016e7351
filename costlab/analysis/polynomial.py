"""The exact cost of a network as a polynomial in batch, height and width (or tokens), where it is one.

A layer's output is affine in its input on sizes that differ by the network's whole stride, so that counts are polynomials there. Found by
interpolation between traces and held against further ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import lcm

from ..graph import layer_graph
from ..trace import Trace

DEGREES = (2, 4)


@dataclass(frozen=True)
class Polynomial:
    """`terms`: exact coefficients (numerator, denominator) by exponents of `names`; valid for sizes base + step k; `checked` traces beyond
    those that it was found from agree."""

    what: str
    names: tuple[str, ...]
    base: tuple[int, ...]
    step: tuple[int, ...]
    terms: dict[tuple[int, ...], tuple[int, int]]
    checked: int

    def __call__(self, *sizes: int):
        """The value at sizes, one a name: an int where it is whole, as it is on base + step k."""
        from fractions import Fraction

        total = Fraction(0)
        for exponents, (p, q) in self.terms.items():
            term = Fraction(p, q)
            for size, e in zip(sizes, exponents):
                term *= size**e
            total += term
        return int(total) if total.denominator == 1 else total

    def __str__(self):
        words = []
        for exponents, (p, q) in sorted(self.terms.items(), reverse=True):
            factors = [f"{n}^{e}" if e > 1 else n for n, e in zip(self.names, exponents) if e]
            number = f"{abs(p):,}" + (f"/{q:,}" if q > 1 else "")
            words.append(
                ("- " if p < 0 else "+ ")
                + " ".join([number] * (number != "1" or not factors) + factors)
            )
        where = ", ".join(
            f"{n} = {b} + {s} k" if s > 1 else f"any {n}"
            for n, b, s in zip(self.names, self.base, self.step)
        )
        return f"{self.what} = {' '.join(words).removeprefix('+ ') or '0'}, exact for {where} (checked on {self.checked} other sizes)"


def stride(trace: Trace) -> int:
    """The network's whole stride: the least size step on which every layer's output steps evenly."""
    jumps = {int(j) for n in layer_graph(trace) for j in n.jump or () if j == int(j) and j >= 1}
    return lcm(*jumps) if jumps else 1


def polynomial(
    count: Callable[..., int], names, base, step, what: str = "MACs"
) -> Polynomial | None:
    """The polynomial of `count(*sizes)` on sizes base + step k, or None where there is none up to degree 4 in each size.

    `count` may raise for sizes that the model does not take; that goes through."""
    import sympy

    symbols = sympy.symbols(names)
    for degree in DEGREES:
        marks = [
            [b + s * k for k in range(degree + 1 if i else 3)]
            for i, (b, s) in enumerate(zip(base, step))
        ]
        values = {sizes: count(*sizes) for sizes in product(*marks)}

        def fit(fixed, depth):
            if depth == len(symbols):
                return sympy.Integer(values[fixed])
            x = symbols[depth]
            return sympy.expand(
                sympy.interpolate([(m, fit((*fixed, m), depth + 1)) for m in marks[depth]], x)
            )

        terms = sympy.Poly(fit((), 0), *symbols).as_dict()
        made = Polynomial(
            what,
            tuple(names),
            tuple(base),
            tuple(step),
            {e: (int(c.p), int(c.q)) for e, c in terms.items()},
            0,
        )
        checks = [
            tuple(b + s * (degree + 2 + (i + j) % 3) for j, (b, s) in enumerate(zip(base, step)))
            for i in range(3)
        ]
        # and below the base, as far down as the model goes, and far above
        checks += [
            tuple(
                max(b % s or s, b - s * (b // s * part // 4)) if i else b
                for i, (b, s) in enumerate(zip(base, step))
            )
            for part in (2, 3)
        ]
        checks.append(
            tuple(b if i == 0 else b + s * 40 for i, (b, s) in enumerate(zip(base, step)))
        )
        found = []
        for n, sizes in enumerate(dict.fromkeys(checks)):
            try:
                found.append(made(*sizes) == count(*sizes))
            except Exception:  # too small or too large for the model
                if n < 3:
                    raise
        if all(found):
            return Polynomial(what, made.names, made.base, made.step, made.terms, len(found))
    return None
