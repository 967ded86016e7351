"""What is printed, against what is traced."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import _documents
from .._narrow import StrPath, is_path
from ..sources import code_of
from ..trace import Trace
from ._arguments import public
from ._models import Model, as_trace, trace_named

if TYPE_CHECKING:
    from ..analysis.audit import Audit, Reproductions
    from ..analysis.claims import Ledger
    from ..analysis.results import Results


@public
def audit(
    model: Model,
    *,
    against: StrPath | Sequence[Mapping[str, str]] | None = None,
) -> Audit:
    """A printed table and printed totals against a trace, cell by cell.

    Args:
        model: a trace, a `costlab.load` result, or a name.
        against: a CSV file of printed cells, or its rows; None for what was published.

    Raises ValueError where nothing was published, or the file has no table."""
    from ..analysis.audit import audit as solve
    from ..analysis.audit import audit_published

    trace = as_trace(model, "audit")
    if against is None:
        result = audit_published(trace, lambda name: _same_input(name, trace))
    else:
        rows, where = _printed(against)
        title = f"{trace.provenance['model']} against {where}"
        try:
            result = solve(rows, trace, title=title)
        except ValueError as e:
            raise ValueError(f"{where}: {e}") from None
    return replace(result, source=trace.provenance.get("source", ""))


@public
def audit_all(*, progress: Callable[[int, int, str], None] | None = None) -> Reproductions:
    """Everything that papers print about networks, checked against traces.

    Models of torchvision and timm need these packages. Takes about a minute.

    Args:
        progress: called with (done, of, model) before each model is traced.

    Raises SourceError where a model cannot be built."""
    from ..analysis.audit import audit_all as solve

    return solve(lambda model, shape: trace_named(model, [shape]), progress)


def _same_input(name: str, trace: Trace) -> Trace:
    """Another reading of the network, on the inputs of the trace."""
    inputs = [f"{shape}:{dtype}" for shape, dtype in trace.provenance["inputs"]]
    return trace_named(name, inputs)


def _printed(against: StrPath | Sequence[Mapping[str, str]]) -> tuple[list[dict[str, str]], str]:
    if is_path(against):
        return read_printed(against), os.fspath(against)
    return [dict(row) for row in against], "the given rows"


def read_printed(path: StrPath) -> list[dict[str, str]]:
    """The rows of a CSV of printed cells; lines that begin with # are comments.

    Raises ValueError for a file that cannot be read or has no table."""
    rows = _documents.csv_rows(path, _documents.read_text(path, ValueError), ValueError)
    if not rows or len(rows[0]) < 2:
        raise ValueError(
            f"{path} has no table: write a header line (type,output size,...,params,ops) "
            "and one line per row"
        )
    return rows


@public
def claims(
    ids: str | Iterable[str] = (),
    *,
    ledger: StrPath | None = None,
) -> Ledger:
    """Run claims and give each a verdict.

    Args:
        ids: of the claims to run; none for all.
        ledger: a TOML or YAML file of your own; None for the study note's claims.

    Raises LedgerError, a ValueError, for a ledger or claim that cannot be run."""
    from ..analysis import claims as ledgers

    wanted = [ids] if isinstance(ids, str) else list(ids)
    if ledger is None:
        return ledgers.run(ledgers.note_ledger(), None, "the study note's claims", wanted)
    path = os.fspath(ledger)
    folder = os.path.dirname(os.path.realpath(path))
    functions = {**ledgers.FUNCTIONS, "model": partial(_figures, folder)}
    return ledgers.run(ledgers.read(path), functions, path, wanted, strict=True)


def _figures(folder: str, name: str, size: Any = None, **arguments: Any) -> Any:
    """`model(...)` of a user's ledger in a folder: a model as the command line names it. Code is
    that of files in the folder alone: a ledger that is sent around names no other."""
    from .. import zoo
    from ..analysis import claims as ledgers

    if name in zoo.names():
        return ledgers.FUNCTIONS["model"](name, size=size, **arguments)
    code = code_of(name)
    if code and not (os.path.isfile(code) and _is_inside(os.path.realpath(code), folder)):
        raise ledgers.LedgerError(
            f"{name!r} runs code that is not beside the ledger; name a model of the zoo or of a "
            "library, a trace, or a factory in a file in the ledger's folder"
        )
    inputs = [f"1x3x{size}x{size}"] if isinstance(size, int) else [size] if size else None
    return ledgers.Figures(trace_named(name, inputs, arguments))


def _is_inside(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))


@public
def results(
    *,
    paper: str | None = None,
    table: str | None = None,
    network: str | None = None,
    data: str | None = None,
) -> Results:
    """The papers' tables of results, as published: top-1 and top-5 errors in percent.

    Args:
        paper, table, network, data: text that a row's paper, table, network or images contain, in
            upper or lower case; None for all.

    Raises ValueError where no row is left."""
    from ..analysis.results import results as find

    return find(paper, table, network, data)
