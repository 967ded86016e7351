"""Printed tables against traces, cell by cell.

An audit finds the convention that a table was made with and the cells that no convention explains.
Nothing is decided by hand. Every cell is tried under weights or weights + biases, K = 1000 or 1024,
one or two ops a multiply-add, truncation, rounding or ceiling, under every reading of the network
that is offered (a plain or a separable stem), and for a fork with another number of input channels.

`cells` reads what is printed, `conventions` lists what is tried, `rows` finds the traced row of
each printed one, `verdicts` solves, `notes` says it in English.
"""

from .cells import Printed
from .conventions import RULES, Counts, Rule
from .every import Outcome, Reproduction, Reproductions, audit_all
from .lines import OtherTrace
from .published import audit_published, published_models
from .result import Audit, Cell, Fit
from .rows import Counted, count_rows
from .run import audit
from .totals import audit_totals

__all__ = [
    "RULES",
    "Audit",
    "Cell",
    "Counted",
    "Counts",
    "Fit",
    "OtherTrace",
    "Outcome",
    "Printed",
    "Reproduction",
    "Reproductions",
    "Rule",
    "audit",
    "audit_all",
    "audit_published",
    "audit_totals",
    "count_rows",
    "published_models",
]
