"""Limits on what a model costs: `macs <= 2.1G`, `stages.2: params > +1%`.

A limit is a condition on one quantity of a model or of one of its blocks, absolute or against a
base. `costlab diff --fail-on`, `costlab check` and the pytest plugin read the same expressions.

`quantities` is the registry of what can be limited, `expression` reads, `judge` evaluates,
`require` raises with the `blocks` behind a limit that is not met, `notes` says it in English.
"""

from .blocks import BlockFigure, blocks_behind
from .expression import Limit, LimitError, parse
from .judge import Judgement, judge
from .notes import spell
from .quantities import QUANTITIES, Quantity, block_names, measure_block, measure_ops
from .require import require

__all__ = [
    "QUANTITIES",
    "BlockFigure",
    "Judgement",
    "Limit",
    "LimitError",
    "Quantity",
    "block_names",
    "blocks_behind",
    "judge",
    "measure_block",
    "measure_ops",
    "parse",
    "require",
    "spell",
]
