"""A document made of sections."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._spelling import choice
from ..analysis.change import Change
from ..analysis.claims import LedgerError
from ..analysis.claims.prose import fill, models_of
from ..render.document import Document, Section, Text
from ..tables import display_names, version_name
from ..trace import Trace
from .config import Config
from .context import Context, Finder
from .errors import ReportError
from .logo import read_logo
from .runs import measured_runs
from .sections import SECTIONS

Review = tuple[Trace, Trace]
_LAST = "conventions"  # is made last: it names every model that the other sections traced
_OF_A_REVIEW = ("summary", "change", "conventions")  # sections


def build(
    config: Config,
    traces: Sequence[Trace],
    review: Review | None,
    command: str,
    find: Callable[[str], Trace],
    progress: Callable[[int, int, str], None] | None = None,
) -> Document:
    """The document of a configuration. `review`: traces of base and head, or None. `find(spec)`
    traces another model; `progress(done, of, title)` is called before each section.

    Raises ReportError for an unknown section or an unreadable logo."""
    _check_names(config.sections)
    runs = measured_runs(config)
    context = Context(tuple(traces), review, command, Finder(find), runs, config.probe)
    return _document(config, context, progress)


def build_review(change: Change, command: str, find: Callable[[str], Trace]) -> Document:
    """The document of base and head that were compared: what changed, and how it was counted;
    `command` and `find` as in `build`."""
    head = change.traces.head
    context = Context((head,), change.traces, command, Finder(find), compared=change)
    return _document(Config(sections=_OF_A_REVIEW), context)


def _document(
    config: Config, c: Context, progress: Callable[[int, int, str], None] | None = None
) -> Document:
    noted = dict(config.notes)
    names = config.sections or tuple(
        name for name, kind in SECTIONS.items() if kind.applies(c) or name in noted
    )
    made: dict[str, Section] = {}
    for i, name in enumerate(sorted(names, key=lambda name: name == _LAST)):
        kind = SECTIONS[name]
        if progress:
            progress(i, len(names), kind.title)
        words = [Text(_words(config, name, c), True)] if name in noted else kind.words(c)
        made[name] = Section(name, kind.title, (*words, *kind.make(c)))
    return Document(
        config.title or _title(c.traces, c.review),
        config.subtitle or f"Computed by costlab {c.first.provenance['costlab']}",
        tuple(made[name] for name in names),
        config.paper,
        read_logo(config.logo),
    )


def _words(config: Config, name: str, c: Context) -> str:
    """The note of a section, with its figures where they are to be computed."""
    note = dict(config.notes)[name]
    if not config.computed:
        return note
    try:
        words = fill(note, ())
    except LedgerError as e:
        raise ReportError(f"the note of {name}: {e}") from None
    for model in models_of(note):
        c.find(model)  # the conventions say how it was traced
    return words


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name not in SECTIONS:
            raise ReportError(f"unknown section {name!r}{choice(name, SECTIONS)}")
        if names.count(name) > 1:
            raise ReportError(f"section {name!r} is named twice")


def _title(traces: Sequence[Trace], review: Review | None) -> str:
    names = display_names([version_name(t) for t in review or traces])
    if review:
        return f"Review: {' to '.join(names)}"
    about = " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} others"
    return f"What {about} {'costs' if len(names) == 1 else 'cost'}, and why"
