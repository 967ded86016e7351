"""The one shape that every renderer takes: typed columns, exact values, notes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from .._extras import extra
from .._text import shown


@dataclass(frozen=True)
class Column:
    """A column, and how people see its numbers; machines get the exact value.

    Attributes:
        key: names the cell in each row.
        unit: "" for text, otherwise what the numbers count (MACs, FLOPs, params, elements, bytes,
            pixels, %, x, count).
        scale: (divisor, letter) that shortens each number to one unit.
        share: whether the share of the total stands beside the number, with a bar.
        format: a Python format spec.
        scaled: whether each number takes the unit that suits its size.
        detail: whether it is for machines: text, Markdown, LaTeX and HTML leave it out.
        print_only: whether CSV, JSON and Parquet leave it out.
        label: what heads it instead of the key; "" for none.
        further: whether it is one of the columns that a table has only where they are asked for.
        converted: whether its numbers are multiples of the unit, which the header then says.
        importance: a terminal that is too narrow for all columns drops those of least importance
            first, and those of the same importance below 5 together. Shares, percentages and the
            first column always stay unless their importance is below 5.
    """

    key: str
    unit: str = ""
    scale: tuple[int, str] | None = None
    share: bool = False
    format: str = ""
    scaled: bool = False
    detail: bool = False
    print_only: bool = False
    importance: int = 5
    label: str = ""
    further: bool = False
    converted: bool = False

    @property
    def header(self) -> str:
        """The key with its unit, where it does not begin with it, as "ms (predicted)" does; a label
        stands alone, unless its numbers are converted."""
        if self.label:
            return self._labelled()
        if self.unit in ("", "count", self.key) or self.unit == "ms" and self.key[:3] == "ms ":
            return self.key
        return f"{self.key} ({self.unit})"

    def _labelled(self) -> str:
        if not self.converted or self.unit in self.label:
            return self.label
        # "MACs (G)" for GMACs under the label MACs
        return f"{self.label} ({self.unit.removesuffix(self.label).strip()})"

    @property
    def machine_header(self) -> str:
        """As `header`, with params counted in elements, and with shares that people read in percent
        as fractions."""
        if self.label:
            return self.header
        if self.unit == "%" and self.format.endswith("%"):
            return f"{self.key} (fraction)"
        return f"{self.key} (elements)" if self.unit == "params" else self.header


class Note(str):
    """A line below a table that is about some of its columns, by key: where none of them is shown,
    it is left out."""

    columns: tuple[str, ...]

    def __new__(cls, text: str, *columns: str) -> Note:
        note = super().__new__(cls, text)
        note.columns = columns
        return note


@dataclass(frozen=True)
class Caption:
    """What an author writes about a table; "" for nothing.

    Attributes:
        text: a sentence or more; LaTeX's caption, in place of the table's title.
        label: what references to the table name, such as "tab:googlenet".
        short: what LaTeX's list of tables says in place of the text.
    """

    text: str = ""
    label: str = ""
    short: str = ""


MOST_ROWS = 10_000  # that a table for people has


@dataclass(frozen=True)
class Sheet:
    """Rows and columns without a style of output.

    Attributes:
        title: what it shows; "" for none.
        columns: in order.
        rows: one dict a row, by column key; a missing key is an empty cell.
        notes: the lines that every output states; a `Note` goes with its columns.
        total: a last row, or None.
        ids: stable row names for links; empty where rows have none.
        facts: named values that JSON carries beside the rows.
        group: the key of a column whose values head blocks of rows for people; "" for none.
        rest: how many rows the last row stands for; 0 where it is a row like the others.
        caption: the author's, in every format that has a place for it.
        row_units: the key of a column that holds the unit of the numbers of each row; "" where the
            columns have units.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()
    total: dict[str, Any] | None = None
    ids: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    rest: int = 0
    caption: Caption = Caption()
    row_units: str = ""

    @property
    def machine_columns(self) -> tuple[Column, ...]:
        """The columns that CSV, JSON and Parquet have."""
        return tuple(c for c in self.columns if not c.print_only)

    @property
    def shortened(self) -> Sheet:
        """The same with the first `MOST_ROWS` rows, and a note that says so where it has more."""
        return self.first(MOST_ROWS)

    def first(self, most: int) -> Sheet:
        """The same with the first `most` rows, and a note that says so where it has more."""
        if len(self.rows) <= most:
            return self
        said = f"the first {most:,} of {len(self.rows):,} rows; CSV, JSON and Parquet have all"
        rows, ids = self.rows[:most], self.ids[:most]
        return replace(self, rows=rows, ids=ids, notes=(*self.notes, said))

    @property
    def printable(self) -> Sheet:
        """The same with every text in one line, and nothing in it that acts on a terminal or a
        page. Machines get the texts as they are where their format holds any."""
        return replace(
            self,
            title=shown(self.title),
            caption=replace(self.caption, text=shown(self.caption.text)),
            columns=tuple(replace(c, label=shown(c.label)) for c in self.columns),
            rows=tuple(map(_printable, self.rows)),
            notes=tuple(map(shown, self.notes)),
            total=None if self.total is None else _printable(self.total),
            ids=tuple(map(shown, self.ids)),
        )

    def headings(self) -> tuple[str, ...]:
        """What heads the block that begins with each row, "" within a block."""
        values = [str(row.get(self.group, "")) for row in self.rows]
        return tuple(
            value if value != before else ""
            for before, value in zip(["", *values], values, strict=False)
        )

    def records(self) -> list[dict[str, Any]]:
        """One dict a row by column header, exact values; the row id first where there are ids.
        Decimals, which keep their digits for people, are floats."""
        return [
            {
                **({"id": self.ids[i]} if self.ids else {}),
                **{c.machine_header: _plain(row.get(c.key, "")) for c in self.machine_columns},
            }
            for i, row in enumerate(self.rows)
        ]

    def to_frame(self):
        """A pandas DataFrame of `records()`, indexed by row id where there are ids; missing cells
        are NA."""
        with extra("pandas", "to_frame"):
            import pandas

        frame = pandas.DataFrame(self.records()).replace("", pandas.NA).convert_dtypes()
        return frame.set_index("id") if self.ids else frame


def _printable(row: dict[str, Any]) -> dict[str, Any]:
    return {k: shown(v) if isinstance(v, str) else v for k, v in row.items()}


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
