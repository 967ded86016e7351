"""Reports as PDF or HTML."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .._extras import extra
from .._result import Result
from ..predict import (
    AnyProfile,
    AnyRate,
    ChosenProfile,
    as_profile,
    as_rate,
    predicted,
    preferred,
    priced,
)
from ..trace import Trace, TraceError
from ._arguments import public
from ._models import CONTEXT, Model, as_trace, load, trace, trace_named

if TYPE_CHECKING:
    from ..analysis.change import Change
    from ..render.document import Document
    from ..report import Config
    from ..tables import Sheet


@dataclass(frozen=True)
class Report(Result):
    """A document, written by `save`; `config`: the file of its configuration, None without one."""

    document: Document
    config: str | None = None

    @property
    def sheet(self) -> Sheet:
        """The contents: a row a section, with how many tables and figures it has."""
        from ..render.document import Grid, Picture
        from ..tables import Column, Sheet

        columns = (Column("section"), Column("tables", "count"), Column("figures", "count"))
        rows = tuple(
            {
                "section": section.title,
                "tables": sum(isinstance(part, Grid) for part in section.parts),
                "figures": sum(isinstance(part, Picture) for part in section.parts),
            }
            for section in self.document.sections
        )
        return Sheet(self.document.title, columns, rows)

    def save(self, path: str | os.PathLike[str], *, format: str | None = None) -> None:
        """Write the document as FILE.pdf or FILE.html, or in the `format` "pdf" or "html".

        Raises ValueError for another suffix, ModuleNotFoundError without the report extra, OSError
        where it cannot be written."""
        from ..trace.files import write_file

        write_file(path, self.render(format or report_format(path)))

    def render(self, format: str) -> bytes:
        """The document as "pdf" or "html". Raises ValueError for what cannot be set."""
        with _placed(self.config), extra("report", "a report"):
            if format == "pdf":
                from ..render.pdf import pdf

                return pdf(self.document)
            from ..render.report_html import page

            return page(self.document).encode()


def report_format(path: str | os.PathLike[str]) -> str:
    """The format that a file's suffix names. Raises ValueError for another one."""
    suffix = os.path.splitext(path)[1].removeprefix(".")
    if suffix not in ("pdf", "html"):
        raise ValueError(f"cannot tell the format of {os.fspath(path)!r}; name it .pdf or .html")
    return suffix


@public
def report(
    *models: Model,
    base: Model | None = None,
    head: Model | None = None,
    config: str | os.PathLike[str] | None = None,
    title: str = "",
    sections: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
    paper: str = "",
    inputs: str | Sequence[str] | None = None,
    arguments: Mapping[str, Any] | None = None,
    device: str = "auto",
    train: bool = False,
    phase: str | None = None,
    context: int = CONTEXT,
    batch: int = 1,
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
    command: str = "costlab.report",
    progress: Callable[[int, int, str], None] | None = None,
) -> Report:
    """The document that an architecture review passes around; `.save("FILE.pdf")` writes it.

    Args:
        models: traces, `costlab.load` results or names; several are compared.
        base, head: a review of what changed from one to the other.
        config: a TOML file with the title, models, sections and notes of a report that a team
            keeps; arguments given here override it.
        title: of the document.
        sections: only these, in this order; none for all that apply.
        notes: Markdown by the name of a section.
        paper: "a4" or "us-letter"; "" for the configuration's, or A4.
        inputs, arguments, phase, context, batch: of models that are named, as `costlab.load` takes
            them.
        device, train: where and how these are traced.
        profile: of a device, as `costlab.table` takes it; adds predicted times to the tables, the
            review and the rankings of the models.
        rate: price of an hour of the device, as `costlab.table` takes it: the summary, the review
            and the comparison say what a million inputs cost.
        command: the command that the last page gives to build the report again.
        progress: called with (done, of, title) before each section.

    Raises ReportError, a ValueError, for an unknown section, a configuration that cannot be used
    and a report without a model; ProfileError for a profile that cannot be read; SourceError or
    TraceError for a model that cannot be loaded or traced."""
    from ..report import build

    path = None if config is None else os.fspath(config)
    settings = _settings(path, title, tuple(sections), notes or {}, paper)
    pair = _pair(base or settings.base or None, head or settings.head or None, path)
    named: Sequence[Model] = models or settings.models or pair[1:]
    _require_model(named, path)
    how = _Building(
        inputs=inputs or settings.inputs or None,
        arguments=arguments,
        device=device,
        train=train,
        phase=phase,
        context=context,
        batch=batch,
    )
    # a measured trace of a name is not of other inputs, arguments, phases or modes
    runs = None if inputs or arguments or train or phase else settings
    find = _Finder(how, runs, path, (*models, base, head))
    with _placed(path):
        chosen = preferred(None if profile is None else as_profile(profile), _profile(settings))
        hour = preferred(as_rate(rate), as_rate(settings.rate))

        def on_device(model: Model) -> Trace:
            return priced(predicted(find(model), chosen), hour)

        review = (on_device(pair[0]), on_device(pair[1])) if pair else None
        traces = [review[1] if review and m == pair[1] else on_device(m) for m in named]
        return Report(build(settings, traces, review, command, find, progress), path)


def review_of(change: Change, command: str) -> Report:
    """The review of base and head that were compared; `command` made it."""
    from ..report import build_review

    return Report(build_review(change, command, trace_named))


def _settings(
    path: str | None, title: str, sections: tuple[str, ...], notes: Mapping[str, str], paper: str
) -> Config:
    """The configuration in a file, or an empty one; what is given replaces what stands there."""
    from ..report import SECTIONS, Config, read

    found = read(path, SECTIONS) if path else Config()
    return replace(
        found,
        title=title or found.title,
        sections=sections or found.sections,
        notes=tuple({**dict(found.notes), **notes}.items()),
        paper=paper or found.paper,
    )


def _profile(settings: Config) -> ChosenProfile | None:
    """The profile that a configuration names. Raises ProfileError as `load_profile` does."""
    if not settings.profile:
        return None
    dtype, layout = settings.profile_dtype or None, settings.profile_layout or None
    return replace(as_profile(settings.profile), dtype=dtype, layout=layout)


def _require_model(named: Sequence[Model], path: str | None) -> None:
    """Raise ReportError where no model is given, and the configuration in `path` names none."""
    from ..report import ReportError

    if not named:
        raise ReportError(
            f"{path}: name a model, as in models = ['googlenet']"
            if path
            else "name a model to report, such as googlenet"
        )


def _pair(base: Model | None, head: Model | None, path: str | None) -> tuple[Model, ...]:
    """Base and head; empty for no review. Raises ReportError for one of the two."""
    from ..report import ReportError, line

    if base is not None and head is not None:
        return base, head
    if base is None and head is None:
        return ()
    if path:
        where = line(path, "base" if head is None else "head")
        raise ReportError(f"{where}: a review needs both base and head")
    raise ReportError("a review needs both `base` and `head`")


@dataclass(frozen=True)
class _Building:
    """How models that are named are built and traced; see `report`."""

    inputs: str | Sequence[str] | None
    arguments: Mapping[str, Any] | None
    device: str
    train: bool
    phase: str | None
    context: int
    batch: int

    def trace(self, name: str) -> Trace:
        """The trace of a name. Raises SourceError and TraceError."""
        model = load(
            name,
            self.inputs,
            arguments=self.arguments,
            phase=self.phase,
            context=self.context,
            batch=self.batch,
        )
        return trace(model, device=self.device, backward=self.train)


@dataclass(frozen=True)
class _Finder:
    """Traces a model: a measured trace of `runs`, where that has one of its name, or made as `how`
    says. An error says where in the file of the configuration the model is named, unless it was
    `given`."""

    how: _Building
    runs: Config | None
    path: str | None
    given: tuple[Model | None, ...]

    def __call__(self, model: Model) -> Trace:
        from ..report import ReportError, line, measured

        if not isinstance(model, str):
            return as_trace(model, "report")
        try:
            run = measured(self.runs, model) if self.runs else None
            return self.how.trace(model) if run is None else self._with_source(run, model)
        except TraceError as e:
            raise TraceError(f"{model}: {e}") from None
        except ValueError as e:
            if self.path is None or model in self.given:
                raise
            raise ReportError(f"{line(self.path, model)}: {e}") from None

    def _with_source(self, run: Trace, name: str) -> Trace:
        """A measured trace with the source of the zoo's network of its name, where it records none
        and is that network: of the same params."""
        from .. import zoo

        if "source" in run.provenance or name not in zoo.names():
            return run
        named = self.how.trace(name)
        if [p.shape for p in run.params] != [p.shape for p in named.params]:
            return run
        provenance = run.provenance.copy()
        provenance["source"] = zoo.names()[name]
        if "notes" in named.provenance:
            provenance["notes"] = named.provenance["notes"]
        return replace(run, provenance=provenance)


@contextlib.contextmanager
def _placed(path: str | None) -> Generator[None]:
    """Errors of a report begin with the file of its configuration."""
    from ..report import ReportError

    try:
        yield
    except ValueError as e:
        if path is None or str(e).startswith(path):
            raise
        raise ReportError(f"{path}: {e}") from None
