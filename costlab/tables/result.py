"""The finished table: frozen rows and totals, and what the renderers take of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._result import Result, Shaped
from ..cost import Convention
from ..predict import Prediction
from .columns import COLUMNS, further_columns
from .selection import name_rest, option_name, selected
from .sheet import Column, Sheet


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        id: stable name for links.
        cells: values by column key.
        params: elements, under the table's convention; each is in the row that uses it first.
        macs: floating-point multiply-adds.
        nodes: indices of the row's nodes in the layer graph.
        ops: indices of the row's operations in the trace.
        seconds: time measured in place; None where the trace is not measured.
        path: path of the module, which several rows may share.
        part: what tells the row from others of its module, such as its layers.
    """

    id: str
    cells: dict[str, Any]
    params: int
    macs: int
    nodes: tuple[int, ...] = ()
    ops: tuple[int, ...] = ()
    seconds: float | None = None
    path: str = ""
    part: str = ""

    @property
    def name(self) -> str:
        """What charts and sentences call it: layer name, module path, operator, or type; a
        convolution or pool with its patch size, alike modules with how many there are."""
        cells = self.cells
        name = cells.get("layer name") or cells.get("name") or cells.get("operator")
        if name:
            times = cells.get("times")
            return f"{name} x {times}" if times else name
        kind, patch = cells["type"], cells.get("patch size/stride", "")
        return f"{kind} {patch}" if patch[:1].isdigit() else kind

    @property
    def own_name(self) -> str:
        """The name, and what tells the row from others of its module where it has several; for
        lists that show nothing else of a row."""
        return f"{self.name}: {self.part}" if self.part else self.name


@dataclass(frozen=True)
class Table(Result):
    """A finished table.

    Attributes:
        title: name of the model.
        style: the style that made the rows, or "by operator" and its like.
        columns: what is shown, in order.
        rows: in execution order.
        params: elements of all rows, under `convention`.
        macs: floating-point multiply-adds of the whole forward pass.
        totals: of the other columns that have one, by column key.
        convention: what params and ops mean.
        notes: the lines that every output states: convention, coverage, provenance.
        prediction: of the trace, where a profile was given.
        rest: how many rows the last row stands for; 0 where it is a row like the others.
    """

    title: str
    style: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    params: int
    macs: int
    totals: dict[str, Any]
    convention: Convention
    notes: tuple[str, ...]
    prediction: Prediction | None = field(default=None, repr=False)
    rest: int = 0

    def with_columns(self, names: Sequence[str]) -> Table:
        """The table with columns by name, as `costlab.table` takes them; those of `COLUMNS` are
        there already.

        Raises ValueError for a name that no column has."""
        sheet = selected(self.sheet, names, COLUMNS)
        return replace(self, columns=sheet.columns, notes=sheet.notes)

    def select(self, *names: str) -> Shaped:
        missing = set(further_columns(names)).difference(c.key for c in self.columns)
        if missing:
            key = min(missing)
            raise ValueError(
                f"the table was made without the column {key}; make it with "
                f'costlab.table(..., columns=["+{option_name(key)}"])'
            )
        return super().select(*names)

    @property
    def sheet(self) -> Sheet:
        """What the renderers take."""
        return Sheet(
            self.title,
            self.columns,
            name_rest(tuple(r.cells for r in self.rows), self.rest, self.columns[0].key),
            self.notes,
            {**self.totals, "params": self.params, "ops": self.macs},
            tuple(r.id for r in self.rows),
            {"style": self.style, "convention": self.convention.name},
            rest=self.rest,
        )
