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
    """A finished entry: its checks, then those of its readings, the verdict found from them, and in
    words what was `finding` and under which `assumption`, with computed figures."""

    entry: Entry
    checks: tuple[Check, ...]
    verdict: Verdict
    finding: str
    assumption: str

    @property
    def id(self) -> str:
        """The name of the claim in its ledger."""
        return self.entry.id

    @property
    def explanation(self) -> str:
        """The claim with its working, as `costlab claims ID` prints it."""
        return text.explained(self)


@dataclass(frozen=True)
class Ledger(Result):
    """The claims in order."""

    title: str
    claims: tuple[Claim, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a claim, by topic: the verdict and what was found, in a line. Machines also
        get what is said, each value, and where it was published."""
        columns = (
            Column("topic"),
            Column("verdict"),
            Column("id"),
            Column("finding"),
            *(Column(key, detail=True) for key in _DETAILS),
        )
        topics = dict.fromkeys(claim.entry.topic for claim in self.claims)
        rows = tuple(
            _cells(claim) for topic in topics for claim in self.claims if claim.entry.topic == topic
        )
        group = "topic" if any(topics) else ""
        return Sheet(
            self.title, columns if group else columns[1:], rows, text.notes(self), group=group
        )


_DETAILS = ("claim", "computed now", "published", "assumption", "source")


def _cells(claim: Claim) -> dict[str, str]:
    return {
        "topic": claim.entry.topic,
        "verdict": claim.verdict.value,
        "id": claim.id,
        "finding": claim.finding,
        "claim": claim.entry.says,
        "computed now": text.values(claim.checks),
        "published": claim.entry.paper,
        "assumption": claim.assumption,
        "source": claim.entry.source,
    }
