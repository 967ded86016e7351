"""What the study note says of a topic, and what is true, with computed figures."""

from __future__ import annotations

from ....analysis.claims.prose import fill, models_of
from ....reference.note import Topic
from ....render.document import Text
from ...context import Context
from ...pieces import Block


def words(topic: Topic, c: Context) -> list[Block]:
    """The words that open the section of a topic."""
    for name in models_of(topic.words):
        c.find(name)  # the conventions say how it was traced
    return [Text(fill(topic.words, ()), True)]
