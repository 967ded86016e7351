"""A document made of sections."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..render.document import Document, Section, Text
from ..trace import Trace
from .config import Config
from .context import Context
from .errors import ReportError
from .logo import read_logo
from .runs import measured_runs
from .sections import SECTIONS

Review = tuple[Trace, Trace]


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
    names = config.sections or _default_sections(len(traces), review is not None)
    _check_names(names)
    context = Context(tuple(traces), review, command, find, measured_runs(config))
    notes = dict(config.notes)
    sections = []
    for i, name in enumerate(names):
        kind = SECTIONS[name]
        if progress:
            progress(i, len(names), kind.title)
        note = [Text(notes[name], True)] if name in notes else []
        sections.append(Section(name, kind.title, (*note, *kind.make(context))))
    return Document(
        config.title or _title(traces, review),
        config.subtitle or f"Computed by costlab {traces[0].provenance['costlab']}",
        tuple(sections),
        config.paper,
        read_logo(config.logo),
    )


def _default_sections(models: int, review: bool) -> tuple[str, ...]:
    """Those of every report, and those that only several models or a review have."""
    also = {"comparison": models > 1, "change": review}
    return tuple(k for k, kind in SECTIONS.items() if kind.default or also.get(k))


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name not in SECTIONS:
            raise ReportError(f"unknown section {name!r}; there are {', '.join(SECTIONS)}")
        if names.count(name) > 1:
            raise ReportError(f"section {name!r} is named twice")


def _title(traces: Sequence[Trace], review: Review | None) -> str:
    if review:
        return f"Review: {' to '.join(t.provenance['model'] for t in review)}"
    names = [t.provenance["model"] for t in traces]
    about = " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} others"
    return f"What {about} costs, and why"
