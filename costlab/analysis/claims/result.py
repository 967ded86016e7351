"""What a ledger gives: each check's value and outcome, each claim's verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..._result import Result
from ...tables import Column, Sheet
from . import notes as text
from .expressions import Step
from .ledger import Entry


class Outcome(StrEnum):
    """Whether an expression gives what is said."""

    YES = "yes"
    ABOUT = "about"
    NO = "no"


class Verdict(StrEnum):
    """What the checks of a claim come to."""

    REPRODUCED = "reproduced"
    APPROXIMATELY = "approximately"
    CONTRADICTED = "contradicted"
    TYPO = "typo"
    PUBLISHED_ONLY = "published only"


VERDICTS = tuple(verdict.value for verdict in Verdict)


@dataclass(frozen=True)
class Check:
    """`expr` gives `value`; `said` is what it should be, None where it should be true."""

    expr: str
    said: Any
    value: Any
    working: tuple[Step, ...]
    outcome: Outcome
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """A finished entry: its checks, then those of its readings, and the verdict found from them."""

    entry: Entry
    checks: tuple[Check, ...]
    verdict: Verdict

    @property
    def id(self) -> str:
        """The name of the claim in its ledger."""
        return self.entry.id


@dataclass(frozen=True)
class Ledger(Result):
    """The claims in order."""

    title: str
    claims: tuple[Claim, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a claim: what is said, what is computed now, the verdict."""
        keys = ("id", "claim", "computed now", "published", "assumption", "verdict")
        rows = tuple(
            {
                "id": claim.id,
                "claim": claim.entry.says,
                "computed now": text.computed(claim),
                "published": claim.entry.paper,
                "assumption": claim.entry.assumption,
                "verdict": claim.verdict.value,
            }
            for claim in self.claims
        )
        return Sheet(self.title, tuple(map(Column, keys)), rows, text.notes(self))
