"""The statements of the study note with their verdicts."""

from __future__ import annotations

from functools import cache

from ....analysis.claims import Ledger, note_ledger, run
from ....reference.note import Topic
from ....render.document import Grid
from ...context import Context
from ...pieces import Block


@cache
def _ledger() -> Ledger:
    """The note's claims. Their figures are of the zoo, and the same in every report."""
    return run(note_ledger(), title="the study note")


def statements(c: Context, topic: Topic) -> Grid:
    """What the note says about a topic, and what was found."""
    found = _ledger().about([topic.name])
    for name in dict.fromkeys(name for claim in found.claims for name in claim.models):
        c.find(name)  # the conventions say how it was traced
    ident = f"says-{topic.section}"
    return Grid(found.statements, "What the study note says, and what was found", ident)


def corrections(c: Context) -> list[Block]:
    """Every statement of the note of which something is wrong."""
    found = _ledger().corrected.statements
    return [Grid(found, "Statements of the study note that do not hold as they stand", "wrong")]
