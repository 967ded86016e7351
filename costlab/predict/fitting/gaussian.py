"""Regression on few, smooth measurements: a Gaussian process (Rasmussen and Williams 2006).

Its mean at a point is a weighted sum of the measurements near it, its deviation grows with the
distance to them. The lengths by which distances are measured, one a feature, are those that make
the measurements most likely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .conformal import Array

_SEARCHED = 160  # points that the lengths are chosen on, at most
_FEWEST_SPARED = 40  # points; of fewer all choose, and one length for all features alone
_LENGTHS = (1.0, 2.0, 4.0, 8.0)  # of all features, in doublings of a size
_FACTORS = (0.5, 2.0, 4.0)  # of one feature's length
_NOISES = (1e-3, 1e-2, 0.1)  # variance of a measurement, by that of the process
_FOLDS = 10


@dataclass(frozen=True)
class Gaussian:
    """A fitted process. `points`: features, a row a measurement; `weights`: a column a target;
    `spared`: which of them the lengths were not chosen on, so that their errors are those of new
    ones."""

    points: Array
    lengths: Array
    noise: float
    means: Array
    weights: Array
    inverse: Array
    scale: float
    spared: NDArray[np.bool_]

    def mean(self, at: Array) -> Array:
        """Rows of `at` x targets."""
        return self.means + self._near(at) @ self.weights

    def deviation(self, at: Array) -> Array:
        """Of a new measurement of the first target, for each row of `at`."""
        near = self._near(at)
        explained = ((near @ self.inverse) * near).sum(1)
        return self.scale * np.sqrt(np.clip(1.0 - explained, 0.0, None) + self.noise)

    def distance(self, at: Array) -> Array:
        """To the nearest measurement, in lengths."""
        return np.sqrt(_squares(at / self.lengths, self.points / self.lengths).min(1))

    def held_out(self) -> tuple[Array, Array]:
        """Errors of each measurement, measured less predicted, with a tenth of them left out, as
        rows x targets; and the deviation of its prediction.

        With K the covariance and B what is left out, the errors are (K^-1)_BB^-1 (K^-1 y)_B, and
        their covariance is (K^-1)_BB^-1 (Rasmussen and Williams, 5.12 for one point)."""
        count = len(self.points)
        errors, deviations = np.zeros_like(self.weights), np.zeros(count)
        for fold in range(min(_FOLDS, count)):
            out = np.arange(fold, count, _FOLDS)
            covariance = np.linalg.inv(self.inverse[np.ix_(out, out)])
            errors[out] = covariance @ self.weights[out]
            deviations[out] = self.scale * np.sqrt(np.clip(np.diag(covariance), 0.0, None))
        return errors, deviations

    def held_out_distance(self) -> Array:
        """From each measurement to the nearest one of other folds, in lengths."""
        scaled = self.points / self.lengths
        squares = _squares(scaled, scaled)
        fold = np.arange(len(scaled)) % _FOLDS
        squares[fold[:, None] == fold[None, :]] = np.inf
        return np.sqrt(squares.min(1))

    def _near(self, at: Array) -> Array:
        return _similarity(_squares(at / self.lengths, self.points / self.lengths))


def fit(points: Array, targets: Array) -> Gaussian:
    """A process through `targets` (rows x targets) at `points` (rows x features)."""
    step = max(2 if len(points) >= _FEWEST_SPARED else 1, -(-len(points) // _SEARCHED))
    lengths, noise = _chosen(points[::step], targets[::step, 0], each=step > 1)
    spared = np.arange(len(points)) % step > 0
    covariance = _covariance(points, lengths, noise)
    inverse: Array = np.linalg.inv(covariance).astype(np.float64)
    means = np.median(targets, axis=0)
    rest = targets - means
    weights = inverse @ rest
    scale = float(np.sqrt(max((rest[:, 0] @ weights[:, 0]) / len(points), 1e-8)))
    return Gaussian(
        points, lengths, noise, means, weights, inverse, scale, spared if step > 1 else ~spared
    )


def _chosen(points: Array, target: Array, *, each: bool) -> tuple[Array, float]:
    """The lengths and the noise that make a target most likely: first one length for all features,
    then `each` by itself."""
    features = int(points.shape[1])
    rest = target - np.median(target)
    tried = [
        (_likelihood(points, rest, np.full(features, length), noise), length, noise)
        for length in _LENGTHS
        for noise in _NOISES
    ]
    best, length, noise = max(tried)
    lengths = np.full(features, length)
    for feature in range(features):
        if not each or np.ptp(points[:, feature]) == 0:
            continue
        before = lengths[feature]
        for factor in _FACTORS:
            trial = lengths.copy()
            trial[feature] = before * factor
            found = _likelihood(points, rest, trial, noise)
            if found > best:
                best, lengths = found, trial
    return lengths, noise


def _likelihood(points: Array, rest: Array, lengths: Array, noise: float) -> float:
    """The logarithm of the likelihood, with the scale that makes it largest (Rasmussen and
    Williams, 5.8), up to a constant."""
    try:
        root = np.linalg.cholesky(_covariance(points, lengths, noise))
    except np.linalg.LinAlgError:
        return -np.inf
    white = np.linalg.solve(root, rest)
    count = len(rest)
    variance = max(float(white @ white) / count, 1e-12)
    return float(-0.5 * count * np.log(variance) - np.log(np.diag(root)).sum())


def _covariance(points: Array, lengths: Array, noise: float) -> Array:
    scaled = points / lengths
    return _similarity(_squares(scaled, scaled)) + noise * np.eye(len(points))


def _similarity(squares: Array) -> Array:
    """Matern's with 3/2: one derivative, since times have kinks where another kernel is chosen."""
    far = np.sqrt(3.0 * squares)
    return (1.0 + far) * np.exp(-far)


def _squares(a: Array, b: Array) -> Array:
    """Squared distances of rows."""
    found = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2.0 * a @ b.T
    return np.clip(found, 0.0, None)
