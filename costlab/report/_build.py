"""A document made of sections."""

from __future__ import annotations

import os
from functools import lru_cache

from ..measure.runs import Run, find_run, load_runs, runs_on
from ..render.document import Document, Section, Text
from ..trace import Trace
from ._config import Config, ReportError
from ._sections import SECTIONS, Context


def build(config: Config, traces, review, command: str, find, progress=None) -> Document:
    """The document of a configuration. `review`: traces of base and head, or None. `find(spec)` traces another model;
    `progress(done, of, title)` is called before each section.

    Raises ReportError for an unknown section or an unreadable logo."""
    names = config.sections or tuple(
        k
        for k, (_, _, default) in SECTIONS.items()
        if default or k == "comparison" and len(traces) > 1 or k == "change" and review
    )
    for name in names:
        if name not in SECTIONS:
            raise ReportError(f"unknown section {name!r}; there are {', '.join(SECTIONS)}")
        if names.count(name) > 1:
            raise ReportError(f"section {name!r} is named twice")
    context, notes, sections = (
        Context(tuple(traces), review, command, find, measured_runs(config)),
        dict(config.notes),
        [],
    )
    for i, name in enumerate(names):
        title, make, _ = SECTIONS[name]
        if progress:
            progress(i, len(names), title)
        note = [Text(notes[name], True)] if name in notes else []
        sections.append(Section(name, title, (*note, *make(context))))
    model = [t.provenance["model"] for t in traces]
    about = " and ".join(model) if len(model) < 3 else f"{model[0]} and {len(model) - 1} others"
    title = config.title or (
        f"Review: {' to '.join(t.provenance['model'] for t in review)}"
        if review
        else f"What {about} costs, and why"
    )
    return Document(
        title,
        config.subtitle or f"Computed by costlab {traces[0].provenance['costlab']}",
        tuple(sections),
        config.paper,
        _logo(config.logo),
    )


@lru_cache(maxsize=1)
def _runs(folder: str, wanted: str) -> tuple[Run, ...]:
    try:
        return runs_on(load_runs(folder), wanted)
    except ValueError as e:
        raise ReportError(f"measured_on: {e}" if wanted else str(e)) from None


def measured_runs(config: Config) -> tuple[Run, ...]:
    """The measured runs that the configuration names. Raises ReportError for a device, dtype or
    layout that none was measured on."""
    return _runs(config.measured, config.measured_on) if config.measured else ()


def measured(config: Config, name: str) -> Trace | None:
    """The preferred measured trace of a name (`measure.runs`: fp32, NCHW, the smallest batch), or
    None."""
    run = find_run(measured_runs(config), name)
    return run.trace if run else None


def _logo(path):
    if not path:
        return None
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in (".svg", ".png", ".jpg", ".jpeg"):
        raise ReportError(f"the logo {path} is no .svg, .png or .jpg")
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError as e:
        raise ReportError(f"cannot read the logo {path}: {e.strerror}") from None
    if not (
        _is_svg(data)
        if suffix == ".svg"
        else data.startswith(b"\x89PNG\r\n\x1a\n" if suffix == ".png" else b"\xff\xd8\xff")
    ):
        raise ReportError(f"the logo {path} is damaged: not what {suffix} says")
    return data, suffix


def _is_svg(data):
    from xml.etree import ElementTree

    try:
        return ElementTree.fromstring(data).tag.rpartition("}")[2] == "svg"
    except ElementTree.ParseError:
        return False
