"""Published figures against the traces."""

from __future__ import annotations

from ...render.document import Grid, Text
from ..context import About, Context
from ..pieces import Block, cited


def audits(c: Context) -> list[Block]:
    """A table a model that was published with figures; a line for each other."""
    return [block for m, ident in c.idents("audit") for block in _audit(m, ident)]


def _audit(m: About, ident: str) -> list[Block]:
    if not m.audit:
        return [
            Text(
                f"There are no published figures for {m.name} in costlab's reference data; "
                "check a table of your own with costlab audit --against FILE.csv."
            )
        ]
    if not m.audit.cells:
        return [Text(f"Published figures of {m.name}: {m.audit.notes[0]}.")]
    return [
        cited(
            f"Every printed number of {m.name} beside the recomputed one",
            ident,
            ". Verdicts are found by trying conventions, not written by hand.",
        ),
        Grid(m.audit.sheet, m.audit.title, ident),
    ]
