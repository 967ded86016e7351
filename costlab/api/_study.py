"""The study note, guided: its topics, each with what is said, what is true, and what to see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, overload

from .._result import Result
from ..reference.note import Topic, topics
from .._spelling import suggestion
from ._arguments import public
from ._shown import SHOWN, Shown

if TYPE_CHECKING:
    from .._pictures import Picture
    from ..analysis.claims import Ledger
    from ..render.document import Document, Text
    from ..render.document import Picture as Figure
    from ..tables import Sheet

PICTURES = ("svg", "png")
# the working of a claim that fails tells more than that of one that holds
_TELLING = ("contradicted", "typo", "approximately", "reproduced", "published only")


@dataclass(frozen=True)
class Contents(Result):
    """The topics of the study note, in its order."""

    topics: tuple[Topic, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a topic: its number and name, what it asks, and how many claims it has."""
        from ..analysis.claims import note_ledger
        from ..tables import Column, Sheet

        named = [entry["topic"] for entry in note_ledger()]
        rows = tuple(
            {
                "#": topic.number,
                "topic": topic.name,
                "question": topic.question,
                "claims": named.count(topic.name),
                "command": f"costlab study {topic.number}",
            }
            for topic in self.topics
        )
        columns = (
            Column("#", "count"),
            Column("topic"),
            Column("question"),
            Column("claims", "count", detail=True),
            Column("command", detail=True),
        )
        notes = ("costlab study 1 shows the first topic; each names the next",)
        return Sheet("The study note on GoogLeNet and Inception", columns, rows, notes)


@dataclass(frozen=True)
class Lesson(Result):
    """One topic of the study note: what the note `says` and what is true, as Markdown with computed
    figures; its `claims` with a verdict each; and `shown`, the result that the table is of."""

    topic: Topic
    says: str
    truth: str
    claims: Ledger
    shown: Result

    more_formats: ClassVar[tuple[str, ...]] = PICTURES

    @property
    def sheet(self) -> Sheet:
        """The claims by verdict. JSON has the words, the table and the commands beside them."""
        return replace(self.claims.by_verdict, facts=self._facts())

    def _facts(self) -> dict[str, Any]:
        table = self.shown.sheet
        return {
            "topic": self.topic.number,
            "name": self.topic.name,
            "question": self.topic.question,
            "the note says": self.says,
            "what is true": self.truth,
            "table": {"title": table.title, "notes": table.notes, "rows": table.records()},
            "table command": self._how.table_command,
            "picture command": self._how.picture_command,
            "next": [command for command, _ in self._next()],
        }

    @property
    def _how(self) -> Shown:
        return SHOWN[self.topic.section]

    def _next(self) -> Iterator[tuple[str, str]]:
        """Commands that go on from here, and what each shows."""
        yield self.topic.next, self.topic.next_shows
        for following in topics()[self.topic.number : self.topic.number + 1]:
            yield f"costlab study {following.number}", following.name

    def picture(self) -> Picture:
        """The picture of the topic: shown in a notebook, or saved as .svg, .png or .pdf. Needs the
        charts or the diagrams extra."""
        return self._how.picture()

    def page(self, *, drawn: bool = False) -> Document:
        """The topic as a document; with the picture in it where it is to be `drawn`."""
        from ..render.document import Document, Grid, Section, Text

        how = self._how
        one = min(self.claims.claims, key=lambda claim: _TELLING.index(claim.verdict)).id
        table = [_commands(how.table_command)] if how.table_command else []
        picture = [_drawn(self.picture())] if drawn else []
        sections = {
            "What the note says": [Text(self.says, True)],
            "What is true": [Text(self.truth, True)],
            "Claim by claim": [
                Grid(self.claims.by_verdict, "The claims by verdict", "claims"),
                _commands(f"costlab claims {one}  # how it was checked"),
            ],
            "The table": [*table, Grid(self.shown.sheet, self.shown.sheet.title, "table")],
            "The picture": [*picture, _commands(how.picture_command)],
            "Next": [_commands(*(f"{command}  # {shows}" for command, shows in self._next()))],
        }
        return Document(
            f"{self.topic.number}. {self.topic.name}",
            self.topic.question,
            tuple(
                Section(title.lower().replace(" ", "-"), title, tuple(parts))
                for title, parts in sections.items()
            ),
        )

    def __str__(self) -> str:
        return str(self.render("text")).rstrip("\n")

    def _repr_html_(self) -> str:
        from ..render.plain_document import html_parts

        return html_parts(self.page())

    def render(self, format: str) -> str | bytes:
        """The topic in a format by name: the whole as text, Markdown or HTML, which has the picture
        too; the picture as SVG or PNG; the claims in every other.

        Raises ModuleNotFoundError without the diagrams extra, for HTML and for a picture."""
        from ..render import plain_document, report_html

        if format in PICTURES:
            return self.picture().draw(format)
        if format == "html":
            return report_html.page(self.page(drawn=True))
        pages = {"text": plain_document.text_page, "md": plain_document.markdown_page}
        return pages[format](self.page()) if format in pages else super().render(format)


def _commands(*commands: str) -> Text:
    """Command lines to copy."""
    from ..render.document import Text

    lines = "\n".join(commands)
    return Text(f"```console\n{lines}\n```", True)


def _drawn(picture: Picture) -> Figure:
    from ..render.document import Picture as Figure

    svg = picture.draw("svg").decode()
    return Figure(svg[svg.index("<svg") :], picture.title, picture.title, "picture")


@overload
def study() -> Contents: ...
@overload
def study(topic: int | str) -> Lesson: ...
@public
def study(topic: int | str | None = None) -> Contents | Lesson:
    """The study note on GoogLeNet and Inception: its topics, or one of them, with what the note
    says, what is true, the claims with their verdicts, a table and a picture. All figures are
    computed now.

    Args:
        topic: a number from 1, or a name; None for the list.

    Raises ValueError for a topic that the note does not have."""
    from ..analysis import claims as ledgers
    from ..analysis.claims.prose import fill

    if topic is None:
        return Contents(topics())
    found = _find(str(topic))
    ids = [entry["id"] for entry in ledgers.note_ledger() if entry["topic"] == found.name]
    title = "the note's claims by verdict"
    ledger = ledgers.run(ledgers.note_ledger(), None, title, ids)
    return Lesson(
        found, fill(found.says, ()), fill(found.truth, ()), ledger, SHOWN[found.section].table()
    )


def _find(wanted: str) -> Topic:
    """The topic of a number, or of a name or a part of one. Raises ValueError where there is none,
    or several."""
    name = wanted.strip().casefold()
    for topic in topics():
        if name in (str(topic.number), topic.name.casefold(), topic.section):
            return topic
    parts = [topic for topic in topics() if len(name) > 2 and name in topic.name.casefold()]
    if len(parts) == 1:
        return parts[0]
    names = [topic.name.casefold() for topic in topics()]
    hint = f"; did you mean {' or '.join(topic.name for topic in parts)}?" if parts else ""
    hint = hint or suggestion(name, names) or f"; there are 1 to {len(names)}"
    raise ValueError(f"the study note has no topic {wanted!r}{hint}")
