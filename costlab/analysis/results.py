"""The papers' tables of results, as published: nothing here is measured or recomputed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from operator import attrgetter

from .. import reference
from .._result import Result
from ..tables import Column, Sheet
from .notes import results as notes

FILTERS = ("paper", "table", "network", "data")


@dataclass(frozen=True)
class Protocol:
    """How an error was measured: how many `models` were averaged, over which `crops` of an image,
    on which `data` ("val" and "test" are those of ILSVRC-2012). "" where the source does not
    say."""

    models: str
    crops: str
    data: str

    @property
    def known(self) -> bool:
        """Whether the source says all of it."""
        return all((self.models, self.crops, self.data))


SINGLE_CROP = Protocol("1", "1", "val")


@dataclass(frozen=True)
class PublishedResult:
    """A row of a printed table of results.

    `top1` and `top5` are errors in percent and `cost` is in 1e9 multiply-adds, with the digits that
    are printed and None where nothing is; `setting` says in words what the row is of, and `remark`
    what else a reader must know."""

    paper: str
    table: str
    network: str
    setting: str
    protocol: Protocol
    top1: Decimal | None
    top5: Decimal | None
    cost: Decimal | None
    remark: str

    @property
    def data(self) -> str:
        """The images that the errors are of."""
        return self.protocol.data

    @property
    def source(self) -> str:
        """The paper and its table."""
        return f"{self.paper}, {self.table}"


@dataclass(frozen=True)
class Results(Result):
    """Printed results, in the order of the papers."""

    rows: tuple[PublishedResult, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a printed row, under its paper and table."""
        columns = (
            Column("source"),
            Column("network"),
            Column("setting"),
            Column("data"),
            Column("top-1", "%"),
            Column("top-5", "%"),
            Column("cost", "G"),
            Column("paper", detail=True),
            Column("table", detail=True),
            Column("models", detail=True),
            Column("crops", detail=True),
            Column("remark", detail=True),
        )
        rows = tuple(map(_cells, self.rows))
        return Sheet("published results", columns, rows, notes(), group="source")


def _cells(row: PublishedResult) -> dict[str, Any]:
    return {
        "source": row.source,
        "network": row.network,
        "setting": row.setting,
        "data": row.data,
        "top-1": row.top1,
        "top-5": row.top5,
        "cost": row.cost,
        "paper": row.paper,
        "table": row.table,
        "models": row.protocol.models,
        "crops": row.protocol.crops,
        "remark": row.remark,
    }


def results(
    paper: str | None = None,
    table: str | None = None,
    network: str | None = None,
    data: str | None = None,
) -> Results:
    """The printed results whose paper, table, network and data contain the given texts, in upper or
    lower case.

    Raises ValueError, naming what there is, where nothing is left."""
    found = published()
    for name, wanted in zip(FILTERS, (paper, table, network, data), strict=True):
        found = _matching(found, name, wanted) if wanted is not None else found
    return Results(tuple(found))


def _matching(
    rows: Sequence[PublishedResult], name: str, wanted: str
) -> tuple[PublishedResult, ...]:
    value = attrgetter(name)
    left = tuple(row for row in rows if wanted.casefold() in value(row).casefold())
    if not left:
        known = "; ".join(dict.fromkeys(map(value, rows)))
        raise ValueError(f"no published result with {name} {wanted!r}; there are: {known}")
    return left


def published() -> tuple[PublishedResult, ...]:
    """Every printed row of `reference/published_results.csv`."""
    return tuple(map(_result, reference.load("published_results")))


def published_for(model: str) -> tuple[PublishedResult, ...]:
    """The printed rows of a zoo network, those to be preferred first; none for other models."""
    wanted = [
        (row["network"], row["setting"], row["data"])
        for row in reference.load("zoo_errors")
        if row["model"] == model
    ]
    rows = {(row.network, row.setting, row.data): row for row in reversed(published())}
    return tuple(rows[key] for key in wanted)


def _result(row: dict[str, str]) -> PublishedResult:
    return PublishedResult(
        row["paper"],
        row["table"],
        row["network"],
        row["setting"],
        Protocol(row["models"], row["crops"], row["data"]),
        _number(row["top1_err"]),
        _number(row["top5_err"]),
        _number(row["cost_bn_ops"]),
        row["remark"],
    )


def _number(cell: str) -> Decimal | None:
    return Decimal(cell) if cell else None
