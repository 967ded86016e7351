"""What papers print of their networks, as data: one file a paper in `papers/`.

A file has the citation, the printed totals, the printed tables of layers, and the printed shares
of kinds of layers. Every number is text, with the digits and the unit of the paper; where its last
zeros are not significant the text says so, as in 15300M (3 digits):

    paper = "He et al. 2015, Deep Residual Learning (arXiv:1512.03385)"

    [[totals]]                      # one printed table, or one sentence
    where = "Table 1"
    rows = '''
    model,input,params,ops
    resnet50,1x3x224x224,,3.8e9
    resnet152,1x3x224x224,,11.3e9
    '''

    [[table]]                       # the layers of one network
    model = "googlenet"
    where = "Table 1"
    rows = '''
    type,patch size/stride,output size,depth,#1x1,params,ops
    convolution,7x7/2,112x112x64,1,,2.7K,34M
    '''

    [[shares]]                      # of the ops and params, by kind of layer
    model = "timm:mobilenetv1_100"
    where = "Table 2"
    rows = '''
    layers,ops,params
    1x1 convolution,94.86%,74.59%
    '''

`model` is a name that the command line takes: resnet50, torchvision:resnet18, timm:convnext_tiny.
`read`, beside `paper` or in a part, is where the figures were read, if not in the paper itself.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_PAPERS = Path(__file__).parent / "papers"
QUANTITIES = ("params", "ops", "neurons")  # what a total may be of
INPUT = "1x3x224x224"  # the input that totals are printed for where their row says none
_TOTALS_KEYS = {"where", "rows", "read"}
_TOTALS_COLUMNS = {"model", "input", "note", *QUANTITIES}
_SHARES_KEYS = {"model", "where", "rows", "input", "read"}
_SHARES_COLUMNS = {"layers", "ops", "params"}
_TABLE_KEYS = {"model", "where", "rows", "input", "readings", "read"}


@dataclass(frozen=True)
class PrintedTotal:
    """The totals that one line prints of one network.

    `input`: the shape that they are printed for; `cells`: text by quantity (params, ops, neurons),
    none of them empty; `where`: the table or section of `paper`, and `read`: where it was read, if
    not there; `note`: what the line adds, such as a width."""

    model: str
    input: str
    cells: Mapping[str, str]
    paper: str
    where: str
    note: str = ""
    read: str = ""


@dataclass(frozen=True)
class OtherReading:
    """Another reading of a printed network: the `model` that it is, and its description."""

    model: str
    description: str


@dataclass(frozen=True)
class PrintedTable:
    """The layers of one network as a paper prints them.

    `rows`: cells as text by header; `readings`: other readings of the network that are tried;
    `read`: as of a total."""

    model: str
    input: str
    rows: tuple[Mapping[str, str], ...]
    paper: str
    where: str
    readings: tuple[OtherReading, ...] = ()
    read: str = ""


@dataclass(frozen=True)
class PrintedShares:
    """The shares of a network's ops and params that a paper prints by kind of layer.

    `rows`: percentages as text by kind of layer (1x1 convolution, linear), then by ops or params;
    `read`: as of a total."""

    model: str
    input: str
    rows: Mapping[str, Mapping[str, str]]
    paper: str
    where: str
    read: str = ""


@dataclass(frozen=True)
class Paper:
    """A paper: the `name` of its file, its `citation`, and what it prints."""

    name: str
    citation: str
    totals: tuple[PrintedTotal, ...]
    tables: tuple[PrintedTable, ...]
    shares: tuple[PrintedShares, ...] = ()


@cache
def papers() -> tuple[Paper, ...]:
    """Every paper of the reference data, by name. Raises ValueError for a file that is not as the
    module says."""
    return tuple(read_paper(path) for path in sorted(_PAPERS.glob("*.toml")))


def totals_of(model: str) -> tuple[PrintedTotal, ...]:
    """The totals that papers print of a model."""
    return tuple(t for paper in papers() for t in paper.totals if t.model == model)


def tables_of(model: str) -> tuple[PrintedTable, ...]:
    """The tables of layers that papers print of a model."""
    return tuple(t for paper in papers() for t in paper.tables if t.model == model)


def shares_of(model: str) -> tuple[PrintedShares, ...]:
    """The shares that papers print of a model."""
    return tuple(s for paper in papers() for s in paper.shares if s.model == model)


def read_paper(path: Path) -> Paper:
    """Read one file. Raises ValueError for a key, a column or a row that it cannot have."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        _only("keys", found, {"paper", "read", "totals", "table", "shares"})
        citation, read = found["paper"], {"read": found.get("read", "")}
        totals = tuple(t for e in found.get("totals", ()) for t in _totals(read | e, citation))
        tables = tuple(_table(read | entry, citation) for entry in found.get("table", ()))
        shares = tuple(_shares(read | entry, citation) for entry in found.get("shares", ()))
    except KeyError as e:
        raise ValueError(f"{path.name}: {e.args[0]} is missing") from None
    except ValueError as e:
        raise ValueError(f"{path.name}: {e}") from None
    return Paper(path.stem, citation, totals, tables, shares)


def _totals(entry: Mapping[str, Any], citation: str) -> Iterator[PrintedTotal]:
    _only("keys of totals", entry, _TOTALS_KEYS)
    for row in _rows(entry["rows"]):
        _only("columns of totals", row, _TOTALS_COLUMNS)
        cells = {q: row[q] for q in QUANTITIES if row.get(q)}
        if not cells:
            raise ValueError(f"no total in the row of {row['model']}")
        yield PrintedTotal(
            row["model"],
            row.get("input") or INPUT,
            cells,
            citation,
            entry["where"],
            row.get("note", ""),
            entry["read"],
        )


def _table(entry: Mapping[str, Any], citation: str) -> PrintedTable:
    _only("keys of a table", entry, _TABLE_KEYS)
    readings = tuple(OtherReading(**reading) for reading in entry.get("readings", ()))
    rows = tuple(_rows(entry["rows"]))
    return PrintedTable(
        entry["model"],
        entry.get("input", INPUT),
        rows,
        citation,
        entry["where"],
        readings,
        entry["read"],
    )


def _shares(entry: Mapping[str, Any], citation: str) -> PrintedShares:
    _only("keys of shares", entry, _SHARES_KEYS)
    rows: dict[str, dict[str, str]] = {}
    for row in _rows(entry["rows"]):
        _only("columns of shares", row, _SHARES_COLUMNS)
        rows[row["layers"]] = {q: row[q] for q in QUANTITIES if row.get(q)}
    return PrintedShares(
        entry["model"], entry.get("input", INPUT), rows, citation, entry["where"], entry["read"]
    )


def _rows(text: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV text. Raises ValueError for one that has not the cells of the header."""
    lines = (line.strip() for line in text.strip().splitlines())
    for row in csv.DictReader(lines):
        if None in row or None in row.values():
            raise ValueError(
                f"the row {', '.join(map(str, row.values()))} does not match its header"
            )
        yield row


def _only(what: str, found: Mapping[Any, Any], known: set[str]) -> None:
    unknown = sorted(set(map(str, found)) - known)
    if unknown:
        raise ValueError(
            f"unknown {what}: {', '.join(unknown)}; there are {', '.join(sorted(known))}"
        )
