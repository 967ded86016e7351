"""What a ledger gives: each check's value and outcome, each claim's verdict."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..._result import Result
from ..._spelling import suggestion
from ...tables import Column, Sheet
from . import notes as text
from .errors import LedgerError
from .expressions import Step, models_in
from .ledger import Entry
from .prose import models_of


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
WRONG = (Verdict.APPROXIMATELY, Verdict.CONTRADICTED, Verdict.TYPO)  # something is to be corrected


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
    def models(self) -> tuple[str, ...]:
        """The zoo models that its checks and its words take figures of, each once."""
        checked = (name for check in self.checks for name in models_in(check.expr))
        words = f"{self.entry.finding} {self.entry.assumption}"
        return tuple(dict.fromkeys((*checked, *models_of(words))))

    @property
    def truth(self) -> str:
        """What was found, and under which assumption, as sentences."""
        sentences = filter(None, (self.finding, self.assumption))
        return " ".join(f"{words[0].upper()}{words[1:]}." for words in sentences)

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

    @property
    def by_verdict(self) -> Sheet:
        """The same rows under a heading for each verdict."""
        listed = self.sheet
        keys = ("verdict", "id", "finding", *_DETAILS)
        rows = sorted(listed.rows, key=lambda row: VERDICTS.index(row["verdict"]))
        columns = tuple(c for key in keys for c in listed.columns if c.key == key)
        return Sheet(self.title, columns, tuple(rows), listed.notes, group="verdict")

    @property
    def statements(self) -> Sheet:
        """One row per claim: what is said beside what was found, for a reader who does not have the
        text that the claims are of."""
        columns = (Column("what is said"), Column("verdict"), Column("what was found"))
        rows = tuple(
            {
                "what is said": claim.entry.says,
                "verdict": claim.verdict.value,
                "what was found": claim.truth,
            }
            for claim in self.claims
        )
        return Sheet(self.title, columns, rows, text.notes(self))

    def about(self, topics: Collection[str]) -> Ledger:
        """The claims of these topics. Raises LedgerError for a topic that no claim has."""
        known = dict.fromkeys(claim.entry.topic for claim in self.claims)
        for topic in topics:
            if topic not in known:
                hint = suggestion(topic, known, 1) or f"; there are {', '.join(known)}"
                raise LedgerError(f"no claim has the topic {topic!r}{hint}")
        return Ledger(self.title, tuple(c for c in self.claims if c.entry.topic in topics))

    @property
    def corrected(self) -> Ledger:
        """The claims in which something is wrong."""
        return Ledger(self.title, tuple(c for c in self.claims if c.verdict in WRONG))


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
