"""A Trace in, a Table out: choose the style, make and count the rows, add totals and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .._spelling import choice
from ..cost import Convention, Total, total, training
from ..graph import layer_graph
from ..predict import prediction_of
from ..trace.record import Trace
from .columns import COLUMNS, count_columns, extra_columns, extra_totals, style_columns
from .conventions import choose_convention
from .notes import rows_note, table_notes
from .partitions import PARTITIONS, partitioned
from .predicted import predicted_cells, predicted_columns
from .result import Row, Table
from .rows import RowCounter
from .selection import ASKED_FOR
from .sheet import Column
from .styles import STYLES, Depth, choose_style


def table(
    trace: Trace,
    style: str = "auto",
    convention: str | Convention | None = None,
    depth: Depth = None,
    strict: bool = False,
    columns: str | Iterable[str] = (),
    *,
    merge: bool = True,
    by: str | None = None,
) -> Table:
    """The table of `trace`.

    Args:
        style: "paper" (a fork that meets in a channel concatenation is a row), "resnet" (a run of
            alike residual blocks is a row), "layers" (by module path), or "auto", which chooses and
            says so in the notes.
        convention: a name of `CONVENTIONS` or a `Convention`: what params means, and K and M. None
            takes `default_convention`.
        depth: of the layers style: module paths are cut there. None opens every module that holds
            most of the MACs or params; a set of module paths opens those.
        strict: whether an operation without a formula is an error.
        columns: names of `COLUMNS` to add, such as "receptive field".
        merge: of the layers style without a depth: whether alike modules of different number are
            one row, with how many there are.
        by: a name of `PARTITIONS`, whose kinds of operations are the rows, instead of a style's.

    Raises:
        ValueError: for an unknown style, convention, column or partition, for a depth that cuts
            nothing, and for a style or depth with a partition.
        UnknownOpError: in strict mode, for an operation without a formula.
    """
    _check(style, depth)
    _check_partition(by, style, depth)
    chosen, stated = choose_convention(trace, convention)
    added = extra_columns((*(PARTITIONS[by].columns if by else ()), *extra_columns(columns)))
    whole = total(trace, strict=strict)
    # of a training step, the operations of the backward pass too
    covered = total(trace, trace.ops, strict=strict) if trace.trained else whole
    nodes = layer_graph(trace)
    name = f"by {by}" if by else _style(trace, style, depth)
    counter = RowCounter(trace, chosen, added)
    if by:
        groups = partitioned(trace, nodes, by)
    else:
        groups = list(STYLES[name].rows(trace, nodes, depth, merge))
    rows = tuple(counter.rows(groups, drop_input=not by and name != "layers"))
    return Table(
        title=trace.provenance["model"],
        style=name,
        columns=tuple(_columns(trace, rows, added, chosen, whole)),
        rows=rows,
        params=sum(r.params for r in rows),
        macs=whole.macs,
        totals={**extra_totals(added, trace), **_totals(trace, rows, whole)},
        convention=chosen,
        notes=table_notes(
            trace,
            convention=stated,
            coverage=covered.coverage,
            rows=rows_note(name, chosen_by_auto=style == "auto" and not by),
            merged=any(r.cells.get("times") for r in rows),
            unused_params=_unused(trace, counter.used),
            lines_asked_for="source" in added,
        ),
        prediction=prediction_of(trace),
    )


def _check(style: str, depth: Depth) -> None:
    """Raises ValueError for a style or a depth that no table has."""
    if style not in STYLES and style != "auto":
        raise ValueError(f"unknown style {style!r}{choice(style, ('auto', *STYLES))}")
    if depth is not None and style not in ("layers", "auto"):
        raise ValueError(
            f"depth applies to the layers style, and this is {style}; leave out one of them"
        )
    if isinstance(depth, int) and depth < 1:
        raise ValueError(f"depth {depth} shows no module; choose 1 or more")


def _check_partition(by: str | None, style: str, depth: Depth) -> None:
    """Raises ValueError for a partition that there is not, or that a style or a depth is given
    with."""
    if by is None:
        return
    if by not in PARTITIONS:
        raise ValueError(f"no totals by {by!r}; choose {' or '.join(PARTITIONS)}")
    if style != "auto" or depth is not None:
        raise ValueError(
            f"style and depth apply to rows of layers, not to totals by {by}; leave out one or the "
            "other"
        )


def _style(trace: Trace, style: str, depth: Depth) -> str:
    """The style that was asked for, or the one that "auto" takes."""
    if style != "auto":
        return style
    return "layers" if depth is not None else choose_style(trace, layer_graph(trace))


def _columns(
    trace: Trace,
    rows: tuple[Row, ...],
    added: tuple[str, ...],
    convention: Convention,
    whole: Total,
) -> Iterator[Column]:
    """All columns in order: the style's, the added ones, the counts."""
    counts = tuple(
        count_columns(
            convention,
            integers=bool(whole.integer_macs),
            backward=trace.trained,
            time=trace.measured is not None,
        )
    )
    prediction = prediction_of(trace)
    times = predicted_columns(prediction) if prediction else ()
    filled = {*added, *(c.key for c in (*counts, *times))}
    yield from style_columns({k: v for k, v in r.cells.items() if k not in filled} for r in rows)
    for key in added:
        yield Column(key, COLUMNS[key].unit, importance=ASKED_FOR, further=True)
    yield from (*counts, *times)


def _totals(trace: Trace, rows: tuple[Row, ...], whole: Total) -> dict[str, Any]:
    """The totals of integer ops, backward ops, and time (ms) measured or predicted, where there
    are any."""
    found: dict[str, Any] = {}
    if whole.integer_macs:
        found["integer ops"] = whole.integer_macs
    if trace.trained:
        found["backward"] = training(trace).backward_macs
    if trace.measured:
        found["time"] = 1e3 * sum(r.seconds or 0 for r in rows)
    if prediction := prediction_of(trace):
        found |= predicted_cells(prediction, prediction.total)
    return found


def _unused(trace: Trace, used: set[int]) -> int:
    """Elements of the params that no row uses."""
    return sum(p.numel for i, p in enumerate(trace.params) if i not in used)
