"""The public functions: models in, results out. `costlab` lends them its name, one by one.

Each function takes a trace, a `costlab.load` result or a model's name, and options by keyword. Each
returns a result that prints itself (`costlab._result`).
"""

from ._counting import compare, diagram, diff, memory, pareto, profile, table, verify
from ._design import Reductions, aux, bottleneck, grid, head, probe, reductions
from ._factorize import Ranking, factorize, rules
from ._measured import roofline, savings
from ._papers import audit, claims, results
from ._phases import phases
from ._report import Report, report
from ._summary import Summary, summary

__all__ = [
    "Ranking",
    "Reductions",
    "Report",
    "Summary",
    "audit",
    "aux",
    "bottleneck",
    "claims",
    "compare",
    "diagram",
    "diff",
    "factorize",
    "grid",
    "head",
    "memory",
    "pareto",
    "phases",
    "probe",
    "profile",
    "reductions",
    "report",
    "results",
    "roofline",
    "rules",
    "savings",
    "summary",
    "table",
    "verify",
]
