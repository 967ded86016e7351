"""What a ledger says in English: values, comparisons, the explanation of a claim."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..._narrow import is_list, is_tuple
from ...cost import counted

if TYPE_CHECKING:
    from .ledger import Entry
    from .result import Check, Claim, Ledger

_WIDTH = 80


def spell(value: Any) -> str:
    """A value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(spell, value)) if is_tuple(value) else str(value)


def values(checks: Sequence[Check]) -> str:
    """What the checks of a claim gave."""
    return "; ".join(map(_computed, checks))


def unsaid_finding(entry: Entry, checks: Sequence[Check]) -> str:
    """What was found, of a claim whose ledger does not put it in words."""
    return f"{entry.says}: {values(checks)}" if checks else entry.says


def _computed(check: Check) -> str:
    """What a check gave; of a comparison the two sides, where the working has them."""
    if not isinstance(check.value, bool):
        return spell(check.value)
    sides = re.split(r"\s*(<=|>=|==|!=|<|>)\s*", check.expr)
    working = {step.expr: step.value for step in check.working}
    if len(sides) == 1 or not any(side in working for side in sides):
        return spell(check.value)
    return " ".join(spell(working[side]) if side in working else side for side in sides)


def notes(ledger: Ledger) -> tuple[str, ...]:
    """How many claims have each verdict."""
    from .result import VERDICTS

    counts = Counter(claim.verdict.value for claim in ledger.claims)
    listed = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    return tuple(textwrap.wrap(f"{counted(len(ledger.claims), 'claim')}: {listed}", _WIDTH))


def explained(claim: Claim) -> str:
    """A claim with its sources, its checks and their working, line by line."""
    entry = claim.entry
    lines = [f"{claim.id}: {claim.verdict.value}"]
    said = {
        "claim:": entry.says,
        "found:": claim.finding if entry.finding else "",
        "published:": entry.paper,
        "assumption:": claim.assumption,
        "source:": entry.source,
    }
    for name, words in said.items():
        lines += _wrapped(name, words)
    for check in claim.checks:
        lines += _explained_check(check)
    if not claim.checks:
        lines.append("  nothing here can be computed from a trace")
    return "\n".join(lines)


def _wrapped(name: str, words: str) -> list[str]:
    """A named line of prose, over as many lines as it takes."""
    first, rest = f"  {name:11} ", " " * 14
    return textwrap.wrap(words, _WIDTH, initial_indent=first, subsequent_indent=rest)


def _explained_check(check: Check) -> list[str]:
    said = ""
    if check.said is not None:
        said = f", said {check.said if is_list(check.said) else spell(check.said)}"
    note = f" ({check.note})" if check.note else ""
    value = f"= {spell(check.value)}{said}: {check.outcome.value}{note}"
    steps = [step for step in check.working if step.expr != check.expr]
    lines = _equation("  ", check.expr, value)
    return lines + [
        line for s in steps for line in _equation("    ", s.expr, f"= {spell(s.value)}")
    ]


def _equation(indent: str, expr: str, value: str) -> list[str]:
    """An expression and its value, in two lines where they are too long for one."""
    line = f"{indent}{expr} {value}"
    if len(line) <= _WIDTH:
        return [line]
    below = f"{indent}  "
    return [
        indent + expr,
        *textwrap.wrap(value, _WIDTH, initial_indent=below, subsequent_indent=below),
    ]
