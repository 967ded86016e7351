"""Formats for machines: exact values, with the notes."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence

from .._extras import extra
from .._text import json_shown
from ..tables import Sheet


def csv_text(sheet: Sheet) -> str:
    """RFC 4180: a header, the rows with exact values, and in the last column, beside the first
    row, the title and the notes. What a spreadsheet would take for a formula begins with an
    apostrophe."""
    sheet = sheet.printable
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            *(["id"] if sheet.ids else []),
            *(c.machine_header for c in sheet.machine_columns),
            "notes",
        ]
    )
    notes = "; ".join(filter(None, (sheet.title, sheet.caption.text, *sheet.notes)))
    for i, r in enumerate(sheet.records()):
        writer.writerow([*map(_cell, r.values()), _cell(notes) if i == 0 else ""])
    return out.getvalue()


_FORMULA = re.compile(r"[=@\t\r]|[+-](?!\d)(?=.)")  # what begins one; numbers have a sign too


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def json_text(sheet: Sheet) -> str:
    """One object: title, the facts, notes, rows, total. Texts are exact: characters that act on a
    terminal are escaped as JSON does."""
    end = (
        {}
        if sheet.total is None
        else {
            "total": {
                c.machine_header: sheet.total[c.key]
                for c in sheet.machine_columns
                if c.key in sheet.total
            }
        }
    )
    text = (
        json.dumps(
            {
                "title": sheet.title,
                **_caption(sheet),
                **sheet.facts,
                "notes": sheet.notes,
                "rows": sheet.records(),
                **end,
            },
            indent=2,
            ensure_ascii=False,
            default=str,
        )
        + "\n"
    )
    return json_shown(text)


def _caption(sheet: Sheet) -> dict[str, str]:
    """The caption and label, where there are any."""
    found = {"caption": sheet.caption.text, "label": sheet.caption.label}
    return {name: text for name, text in found.items() if text}


def parquet(sheet: Sheet) -> bytes:
    """A Parquet file; title and notes are in its schema's metadata. A column of mixed text and
    numbers is text.

    Raises ImportError without pyarrow."""
    with extra("parquet", "Parquet"):
        import pyarrow
        from pyarrow.parquet import write_table

    sheet = sheet.printable
    records = sheet.records()
    data: dict[str, Sequence[object]] = {}
    for key in records[0] if records else ():
        values = [None if r[key] == "" else r[key] for r in records]
        if any(isinstance(v, str) for v in values):
            values = [v if v is None else str(v) for v in values]
        data[key] = values
    grid = pyarrow.table(data)
    grid = grid.replace_schema_metadata(
        {"title": sheet.title, **_caption(sheet), "notes": json.dumps(sheet.notes)}
    )
    out = io.BytesIO()
    write_table(grid, out)
    return out.getvalue()
