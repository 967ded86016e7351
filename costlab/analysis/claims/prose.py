"""The prose of a ledger: text in which every figure is an expression, computed when it is printed.

`{expr}` stands for the value of an expression and `{0}` for that of a claim's first check. A format
may follow: `{0:.1f}`, `{0:,}`, or `{0:short}` for 128M."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...cost import short
from .errors import LedgerError
from .expressions import evaluate, models_in
from .notes import spell

_FIGURE = re.compile(r"\{(?P<expr>[^{}]+?)(?::(?P<format>,?(?:\.\d{1,2})?[a-z%]*))?\}")


def fill(
    text: str, values: Sequence[Any], functions: Mapping[str, Callable[..., Any]] | None = None
) -> str:
    """The text with its figures. `values`: of the checks that it may name by number.

    Raises LedgerError, quoting the text, for a figure that cannot be computed or spelt."""

    def figure(found: re.Match[str]) -> str:
        expr = " ".join(found["expr"].split())  # prose is broken into lines anywhere
        value = _value(expr, values) if expr.isdecimal() else evaluate(expr, functions).value
        return _spelt(value, found["format"] or "")

    try:
        filled = _FIGURE.sub(figure, text)
    except (LedgerError, TypeError, ValueError) as e:
        raise LedgerError(f"{e} (in {text!r})") from None
    if "{" in filled or "}" in filled:
        raise LedgerError(f"unmatched brace in {text!r}; write a figure as {{expression}}")
    return filled


def models_of(text: str) -> tuple[str, ...]:
    """The zoo models that the figures of a text are computed from, each once."""
    found = (" ".join(figure["expr"].split()) for figure in _FIGURE.finditer(text))
    return tuple(dict.fromkeys(name for expr in found for name in models_in(expr)))


def _value(number: str, values: Sequence[Any]) -> Any:
    if int(number) >= len(values):
        raise LedgerError(f"there is no check {number}; the first is 0")
    return values[int(number)]


def _spelt(value: Any, format_spec: str) -> str:
    if format_spec == "short":
        return short(value)
    return format(value, format_spec) if format_spec else spell(value)
