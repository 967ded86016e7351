"""What a ledger says in English: values, comparisons, the explanation of a claim."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .result import Check, Claim, Ledger


def spell(value: Any) -> str:
    """A value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(spell, value)) if isinstance(value, tuple) else str(value)


def computed(claim: Claim) -> str:
    """What the checks of a claim gave."""
    return "; ".join(map(_computed, claim.checks))


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
    return (f"{len(ledger.claims)} claims: {listed}",)


def explained(claim: Claim) -> str:
    """A claim with its sources, its checks and their working, line by line."""
    entry = claim.entry
    lines = [f"{claim.id}: {claim.verdict.value}", f"  claim:      {entry.says}"]
    sources = {
        "published:": entry.paper,
        "assumption:": entry.assumption,
        "source:": entry.source,
    }
    lines += [f"  {name:11} {words}" for name, words in sources.items() if words]
    for check in claim.checks:
        lines += _explained_check(check)
    if not claim.checks:
        lines.append("  nothing here that a trace can compute")
    return "\n".join(lines)


def _explained_check(check: Check) -> list[str]:
    said = ""
    if check.said is not None:
        said = f", said {check.said if isinstance(check.said, list) else spell(check.said)}"
    note = f" ({check.note})" if check.note else ""
    first = f"  {check.expr} = {spell(check.value)}{said}: {check.outcome.value}{note}"
    steps = [step for step in check.working if step.expr != check.expr]
    return [first, *(f"    {step.expr} = {spell(step.value)}" for step in steps)]
