"""The one shape that every renderer takes: typed columns, exact values, notes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """`key` names the cell; `unit` is "" for text, otherwise what the numbers count (MACs, FLOPs, params, elements, bytes,
    pixels, %, x, count). For people, `scale` (divisor, letter) shortens a number to one unit, `scaled` to the unit that
    suits its size, `share` puts its share of the total beside it with a bar, `format` is a Python format spec; machines
    get the exact value."""

    key: str
    unit: str = ""
    scale: tuple[int, str] | None = None
    share: bool = False
    format: str = ""
    scaled: bool = False

    @property
    def header(self) -> str:
        """The key with its unit."""
        return self.key if self.unit in ("", "count", self.key) else f"{self.key} ({self.unit})"

    @property
    def machine_header(self) -> str:
        """As `header`, with params counted in elements, and shares that people read as percent as the fractions that they are."""
        if self.unit == "%" and self.format.endswith("%"):
            return f"{self.key} (fraction)"
        return f"{self.key} (elements)" if self.unit == "params" else self.header


@dataclass(frozen=True)
class Sheet:
    """`rows`: one dict a row by column key; `notes`: the lines that every output states; `total`: a last row or None;
    `ids`: stable row names for links; `facts`: named values that JSON carries beside the rows."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[dict, ...]
    notes: tuple[str, ...] = ()
    total: dict | None = None
    ids: tuple[str, ...] = ()
    facts: dict = field(default_factory=dict)

    def records(self) -> list[dict]:
        """One dict a row by column header, exact values; the row id first where there are ids."""
        return [
            {
                **({"id": self.ids[i]} if self.ids else {}),
                **{c.machine_header: row.get(c.key, "") for c in self.columns},
            }
            for i, row in enumerate(self.rows)
        ]

    def to_frame(self):
        """A pandas DataFrame of `records()`, indexed by row id where there are ids; missing cells are NA."""
        import pandas

        frame = pandas.DataFrame(self.records()).replace("", pandas.NA).convert_dtypes()
        return frame.set_index("id") if self.ids else frame
