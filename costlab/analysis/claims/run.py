"""A ledger run: every expression evaluated, every claim judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from ..._narrow import is_tuple
from .errors import LedgerError
from .expressions import evaluate
from .ledger import CheckEntry, Entry, validate
from .notes import spell, unsaid_finding
from .prose import fill
from .result import Check, Claim, Ledger, Outcome, Verdict

_NUMBER = re.compile(r"(?P<digits>[\d,]+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?P<letter>[KMGBT]?)")
_FACTORS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}


def run(
    entries: Sequence[Mapping[str, Any]],
    functions: Mapping[str, Callable[..., Any]] | None = None,
    title: str = "claims",
    only: Sequence[str] | None = None,
    strict: bool = False,
) -> Ledger:
    """Run a ledger's entries, dicts as in the file.

    Args:
        functions: the names that expressions may use, `FUNCTIONS` by default.
        title: the title of the result.
        only: ids of the claims to run.
        strict: one check that fails contradicts its claim, as a budget's does, where a claim of
            the study note then holds approximately.

    Raises LedgerError, naming the entry, for one that cannot be run."""
    return Ledger(title, tuple(_claim(e, functions, strict) for e in validate(entries, only)))


def _claim(entry: Entry, functions: Mapping[str, Callable[..., Any]] | None, strict: bool) -> Claim:
    try:
        own = [_run_check(check, functions) for check in entry.checks]
        rivals = [_run_check(check, functions) for check in entry.readings]
    except (LedgerError, TypeError) as e:
        raise LedgerError(f"claim {entry.id}: {e}") from None
    failed = any(check.outcome is Outcome.NO for check in own)
    checks = (*own, *rivals)
    verdict = Verdict.CONTRADICTED if strict and failed else _verdict(entry, checks)
    return _with_figures(entry, checks, verdict, functions)


def _with_figures(
    entry: Entry,
    checks: tuple[Check, ...],
    verdict: Verdict,
    functions: Mapping[str, Callable[..., Any]] | None,
) -> Claim:
    """The claim with the figures of its prose."""
    values = [check.value for check in checks]
    try:
        noted = tuple(replace(c, note=fill(c.note, values, functions)) for c in checks)
        finding = fill(entry.finding, values, functions)
        assumption = fill(entry.assumption, values, functions)
    except LedgerError as e:
        raise LedgerError(f"claim {entry.id}: {e}") from None
    return Claim(entry, noted, verdict, finding or unsaid_finding(entry, noted), assumption)


def _run_check(entry: CheckEntry, functions: Mapping[str, Callable[..., Any]] | None) -> Check:
    found = evaluate(entry.expr, functions)
    said = entry.said
    if _is_number(found.value):
        if said is None and not entry.note:
            raise LedgerError(
                f"{entry.expr!r} is a number, {spell(found.value)}, with nothing to compare "
                "it with; give 'said', or write a comparison"
            )
        said = _read_number(said) if isinstance(said, str) else said
    outcome = _outcome(found.value, replace(entry, said=said))
    return Check(entry.expr, said, found.value, found.working, outcome, entry.note)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _read_number(said: str) -> float:
    """A number that is written as text: 11.7M, or 25.6e6, which YAML 1.1 reads as text.

    Raises LedgerError for another text."""
    found = _NUMBER.fullmatch(said.strip())
    if not found:
        raise LedgerError(f"cannot compare a number with {said!r}; write it as 25.6e6 or 11.7M")
    return float(found["digits"].replace(",", "")) * _FACTORS[found["letter"]]


def _outcome(value: Any, entry: CheckEntry) -> Outcome:
    """Whether `value` is what is said: numbers by their relative difference, others exactly."""
    said = entry.said
    if said is None or isinstance(value, bool):
        return Outcome.YES if bool(value) == (True if said is None else said) else Outcome.NO
    if is_tuple(value):
        return Outcome.YES if list(value) == said else Outcome.NO
    if isinstance(value, str) or isinstance(said, (str, list)):
        return Outcome.YES if value == said else Outcome.NO
    off = abs(value - said) / (abs(said) or 1)
    if off <= entry.tolerance:
        return Outcome.YES
    return Outcome.ABOUT if off <= entry.about else Outcome.NO


def _verdict(entry: Entry, checks: Sequence[Check]) -> Verdict:
    outcomes = {check.outcome for check in checks}
    if not checks:
        return Verdict.PUBLISHED_ONLY
    if entry.published:
        compared = any(check.said is not None for check in checks)
        contradicted = outcomes == {Outcome.NO} and compared
        return Verdict.CONTRADICTED if contradicted else Verdict.PUBLISHED_ONLY
    if entry.readings and len(outcomes) > 1:
        return Verdict.PUBLISHED_ONLY  # the ways to count do not agree
    if outcomes == {Outcome.YES}:
        return Verdict.REPRODUCED
    if outcomes == {Outcome.NO}:
        typo = len(checks) == 1 and _is_typo(checks[0])
        return Verdict.TYPO if typo else Verdict.CONTRADICTED
    return Verdict.APPROXIMATELY


def _is_typo(check: Check) -> bool:
    """An integer with one digit written wrong, left out or too many."""
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in (check.said, check.value)):
        return False
    said, value = str(check.said), str(check.value)
    blocks = SequenceMatcher(None, said, value, autojunk=False).get_matching_blocks()
    same = sum(block.size for block in blocks)
    return max(len(said), len(value)) - same == 1 and len(value) > 1
