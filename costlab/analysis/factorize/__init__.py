"""Factorized convolutions: the rules by tracing real modules, the break-even width, and rewrites of
a model for real.

*Rethinking the Inception Architecture*, Section 3: a k x k convolution as stacked 3x3, or as 1xn
and nx1; with them the depthwise-separable and the bottleneck form. Nothing is assumed of widths:
c_in, c_mid and c_out are free.
"""

from .apply import Factorization, apply, factorize
from .candidates import Candidate, candidates, middle_width
from .choosing import choose
from .obstacles import Obstacle, obstacle, replaceable
from .ranking import candidate_sheet
from .rewrites import (
    REWRITES,
    Conv,
    Curve,
    Rewrite,
    break_even,
    build,
    curve,
    predict,
)
from .rules import RULES, Rule, RuleTable, rules, savings_sheet, slug
from .timing import with_times

__all__ = [
    "Obstacle",
    "REWRITES",
    "RULES",
    "Candidate",
    "Conv",
    "Curve",
    "Factorization",
    "Rewrite",
    "Rule",
    "RuleTable",
    "apply",
    "break_even",
    "build",
    "candidate_sheet",
    "candidates",
    "choose",
    "curve",
    "factorize",
    "middle_width",
    "obstacle",
    "predict",
    "replaceable",
    "rules",
    "savings_sheet",
    "slug",
    "with_times",
]
