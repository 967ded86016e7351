"""Intervals that hold for a stated share of what is new, from errors on what was held out.

Split and cross-conformal prediction: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random
World" (2005); Vovk, "Cross-conformal predictors" (2015).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COVERAGE = 0.9


def conformal_quantile(scores: Array, coverage: float = COVERAGE) -> float:
    """The score that a new one exceeds with a probability of at most 1 - `coverage`: the
    ceil((n + 1) * coverage)-th smallest of n, and infinity where n is too small for that."""
    rank = math.ceil((len(scores) + 1) * coverage)
    if rank > len(scores):
        return math.inf
    return float(np.sort(scores)[rank - 1])


def correlation_needed(error: float, widths: Array) -> float:
    """The correlation of errors with which half-widths add up to an error, as `estimates_sum` adds
    them: error**2 = (1 - c) * sum of squares + c * square of the sum. Above 1 where they do not
    even if all add up; 0 where they do as independent ones."""
    apart = float((widths**2).sum())
    together = float(widths.sum()) ** 2
    if error**2 <= apart:
        return 0.0
    if together <= apart:  # one part
        return error**2 / together if together else math.inf
    return (error**2 - apart) / (together - apart)
