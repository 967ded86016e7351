"""An executable ledger of claims: what is said, the value computed now from traces, the verdict.

A ledger is TOML or YAML: a list `claim` of tables with `id`, `says` and either `checks` (a list of
{expr, said, tolerance, about, note}), `readings` (the same, as rival ways to count one number) or
nothing (not computable). An expression is arithmetic over models' figures:
`model('googlenet').macs / model('alexnet').macs`. It may use nothing but the names of `FUNCTIONS`.
`topic` heads claims that belong together, `finding` says in a line what was found, `assumption`
under which condition; figures in these and in notes are expressions in braces (see `prose`).
`says`, `paper` and `source` are quotes and stay as they are.

`ledger` reads and validates, `expressions` evaluates, `figures` and `functions` are what an
expression may use, `run` judges, `prose` puts figures into words, `notes` says it in English.
"""

from .errors import LedgerError
from .expressions import Evaluation, Step, evaluate, models_in
from .figures import Figures
from .functions import FUNCTIONS
from .ledger import CheckEntry, Entry, note_ledger, read, validate
from .notes import spell
from .result import VERDICTS, Check, Claim, Ledger, Outcome, Verdict
from .run import run

__all__ = [
    "FUNCTIONS",
    "VERDICTS",
    "Check",
    "CheckEntry",
    "Claim",
    "Entry",
    "Evaluation",
    "Figures",
    "Ledger",
    "LedgerError",
    "Outcome",
    "Step",
    "Verdict",
    "evaluate",
    "models_in",
    "note_ledger",
    "read",
    "run",
    "spell",
    "validate",
]
