"""The public functions: models in, results out. `costlab` gives each of these names when used.

A function takes a trace, a `costlab.load` result or a model's name, and options by keyword. It
returns a result that prints, shows and saves itself (`costlab._result`). A name is public by being
in `__all__` here, and nowhere else.
"""

from .. import cost as _cost
from ..cost import CONVENTIONS
from ..sources import FORMS as MODEL_FORMS
from ..sources import Loaded, SourceError
from ..trace import Trace, TraceError, TraceFileError
from ._arguments import public
from ._budget import assert_cost
from ._calibrate import calibrate, predict
from ._check import check
from ._counting import compare, diagram, memory, pareto, profile, table, variants, verify
from ._design import aux, bottleneck, grid, head, probe, reductions
from ._diff import diff
from ._doctor import doctor
from ._export import export
from ._factorize import factorize, rules
from ._illustrations import fields, mixing, mlpconv, saturation, towers
from ._measured import roofline, savings, times
from ._models import load, load_profile, measure, trace
from ._papers import audit, audit_all, claims, results
from ._phases import phases
from ._profiles import profiles
from ._report import report
from ._study import study
from ._summary import summary
from ._sweep import sweep
from ._what_if import what_if
from ._zoo import models

cost_of = public(_cost.cost_of)
formula = public(_cost.formula)
total = public(_cost.total)
training = public(_cost.training)

__all__ = [
    "CONVENTIONS",
    "Loaded",
    "MODEL_FORMS",
    "SourceError",
    "Trace",
    "TraceError",
    "TraceFileError",
    "assert_cost",
    "audit",
    "audit_all",
    "aux",
    "bottleneck",
    "calibrate",
    "check",
    "claims",
    "compare",
    "cost_of",
    "diagram",
    "diff",
    "doctor",
    "export",
    "factorize",
    "fields",
    "formula",
    "grid",
    "head",
    "load",
    "load_profile",
    "measure",
    "memory",
    "mixing",
    "mlpconv",
    "models",
    "pareto",
    "phases",
    "predict",
    "probe",
    "profile",
    "profiles",
    "reductions",
    "report",
    "results",
    "roofline",
    "rules",
    "saturation",
    "savings",
    "study",
    "summary",
    "sweep",
    "table",
    "times",
    "total",
    "towers",
    "trace",
    "training",
    "variants",
    "verify",
    "what_if",
]
