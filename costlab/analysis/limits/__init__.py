"""Limits on what a model costs: `macs <= 2.1G`, `stages.2: params > +1%`.

A limit is a condition on one quantity of a model or of one of its blocks, absolute or against a
base. `costlab diff --fail-on`, `costlab check` and the pytest plugin read the same expressions.

`quantities` is the registry of what can be limited, `figures` has them of a trace or of a record,
`expression` reads, `judge` evaluates, `renames` follows a block to its name in another version,
`notes` says it in English. `costlab.analysis.budget`
requires limits, and finds the blocks behind them.
"""

from .expression import Limit, LimitError, parse
from .figures import Figures, TraceFigures
from .judge import Judgement, judge
from .notes import spell
from .quantities import (
    PREDICTED,
    PRICES,
    QUANTITIES,
    Quantity,
    block_names,
    is_inside,
    measure_block,
    measure_ops,
    with_backward,
)
from .renames import Called, called_in_both

__all__ = [
    "PREDICTED",
    "PRICES",
    "QUANTITIES",
    "Called",
    "Figures",
    "Judgement",
    "Limit",
    "LimitError",
    "Quantity",
    "TraceFigures",
    "block_names",
    "called_in_both",
    "is_inside",
    "judge",
    "measure_block",
    "measure_ops",
    "parse",
    "spell",
    "with_backward",
]
