"""The topics of the study note, in its order: what it says of each, and what is true.

`costlab study` shows them, `reports/note.toml` is made of them, and the claims of `claims.toml`
are each of one. The words are in `note.toml`, beside this file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from . import path


@dataclass(frozen=True)
class Topic:
    """One topic of the study note.

    `number` counts from 1. `section` names its section of a report. `question` is what it answers,
    in a line. `says` and `truth` are Markdown whose figures are expressions of a ledger, in braces.
    `next` is a command that goes on from here, and `next_shows` what that shows."""

    number: int
    name: str
    section: str
    question: str
    says: str
    truth: str
    next: str
    next_shows: str

    @property
    def words(self) -> str:
        """What the note says, then what is true."""
        return f"**The note.** {self.says}\n\n**What is true.** {self.truth}"


@cache
def topics() -> tuple[Topic, ...]:
    """The topics in the order of the note."""
    with open(path("note.toml"), "rb") as f:
        entries = tomllib.load(f)["topic"]
    return tuple(
        Topic(number, **{key: text.strip() for key, text in entry.items()})
        for number, entry in enumerate(entries, 1)
    )
