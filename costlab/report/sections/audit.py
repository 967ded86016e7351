"""Published figures against the traces."""

from __future__ import annotations

from ...render.document import Grid, Text
from ..context import About, Context
from ..pieces import Block, cited, listed


def has_audits(c: Context) -> bool:
    """Whether a model was published with figures."""
    return any(m.audit is not None for m in c.models)


def audits(c: Context) -> list[Block]:
    """A table a model that was published with figures."""
    if not has_audits(c):
        names = listed(m.name for m in c.models)
        return [
            Text(
                f"costlab has no published figures for {names}; check a table of your own with "
                "costlab audit --against FILE.csv."
            )
        ]
    return [block for m, ident in c.idents("audit") for block in _audit(m, ident)]


def _audit(m: About, ident: str) -> list[Block]:
    if not m.audit:
        return []
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
