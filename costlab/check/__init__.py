"""Budgets: what models may cost, in a pyproject.toml, and what they cost before, in a lock file.

`config` reads the budgets and `places` finds their lines; `run` traces each model and judges its
limits (`costlab.analysis.limits`) on `figures` and `timing`; `blocks` finds the blocks behind a
limit, also under other names; `lock` reads and writes the lock file; `result` is what is found, and
`notes` says it.
"""

from .._callable import callable_as
from .errors import CheckError
from .result import Check, Checked, Verdict
from .run import Measuring, check

__all__ = ["Check", "CheckError", "Checked", "Measuring", "Verdict", "check"]

callable_as(__name__, "costlab.api:check")
