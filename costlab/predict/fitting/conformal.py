"""Intervals that hold for a stated share of what is new, from errors on what was held out.

Split and cross-conformal prediction: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random
World" (2005); Vovk, "Cross-conformal predictors" (2015). Scores relative to those of the
neighbours: Papadopoulos, Vovk and Gammerman, "Regression Conformal Prediction with Nearest
Neighbours" (2011).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COVERAGE = 0.9
_NEIGHBOURS = 10  # whose errors say how hard a place is to predict
_ALL = 5  # neighbours that the mean of all weighs as much as
_LEAST_ERROR = 1e-3  # of the logarithm of a time: none is measured better, whatever was met
TOGETHER = 1024  # places that are asked of at once: each needs a row of all measurements


@dataclass(frozen=True)
class HeldOut:
    """Measurements that were predicted from others.

    Attributes:
        places: rows of features, in units in which distances count.
        errors: rows x targets.
        deviations: of the first target, as the model states them.
        neighbours: of each row, the numbers of the nearest rows of other folds, so that no score is
            divided by what it is part of.
    """

    places: Array
    errors: Array
    deviations: Array
    neighbours: NDArray[np.int_]

    @classmethod
    def of(
        cls, places: Array, errors: Array, deviations: Array, folds: NDArray[np.int_]
    ) -> HeldOut:
        """From the number of the fold that each was held out with."""
        squares = squared_distances(places, places)
        squares[folds[:, None] == folds[None, :]] = np.inf
        return cls(places, errors, deviations, _nearest(squares))

    def nearest(self, places: Array) -> NDArray[np.int_]:
        """The numbers of the rows that are nearest to each place."""
        pieces = range(0, len(places), TOGETHER)
        found = [_nearest(squared_distances(places[i : i + TOGETHER], self.places)) for i in pieces]
        return np.concatenate(found)

    def ratios(self, nearest: NDArray[np.int_], mix: Array) -> Array:
        """How many of the deviations that the model states reach to the ends of the 90% intervals
        at places with these `nearest` rows: more where their errors were larger than stated. `mix`:
        the targets' weights in the sum that is predicted."""
        scores = np.maximum(np.abs(self.errors @ mix), _LEAST_ERROR) / self.deviations
        relative = scores / _local(scores, self.neighbours)
        quantile = conformal_quantile(relative)
        if math.isinf(quantile):
            quantile = 2.0 * float(relative.max())
        return quantile * _local(scores, nearest)


def _nearest(squares: Array) -> NDArray[np.int_]:
    """The numbers of the nearest, a row each."""
    count = min(_NEIGHBOURS, squares.shape[1])
    return np.argpartition(squares, count - 1, axis=1)[:, :count]


def _local(scores: Array, nearest: NDArray[np.int_]) -> Array:
    """The mean score of the nearest, drawn towards the mean of all."""
    return (scores[nearest].sum(1) + _ALL * scores.mean()) / (nearest.shape[1] + _ALL)


def squared_distances(a: Array, b: Array) -> Array:
    """Of each row of one to each row of the other."""
    found = a @ b.T
    found *= -2.0
    found += (a**2).sum(1)[:, None]
    found += (b**2).sum(1)[None, :]
    return np.maximum(found, 0.0, out=found)


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
