"""Regression on few, smooth measurements: a Gaussian process (Rasmussen and Williams 2006).

Its mean at a point is a weighted sum of the measurements near it, its deviation grows with the
distance to them. The lengths by which distances are measured, one a feature, are those that make
the measurements most likely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .conformal import TOGETHER, Array, HeldOut, squared_distances

_SEARCHED = 160  # points that the lengths are chosen on, at most
_FEWEST_SPARED = 40  # points; of fewer all choose, and one length for all features alone
_LENGTHS = (1.0, 2.0, 4.0, 8.0)  # of all features, in doublings of a size
_FACTORS = (0.5, 2.0, 4.0)  # of one feature's length
_NOISES = (1e-3, 1e-2, 0.1)  # variance of a measurement, by that of the process
_FOLDS = 10


@dataclass(frozen=True)
class Posterior:
    """What a process says of points, a row each. `mean`: rows x targets; `deviation`: of a new
    measurement of the first target; `distance`: to the nearest measurement, in lengths."""

    mean: Array
    deviation: Array
    distance: Array


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

    def at(self, points: Array) -> Posterior:
        """What it says of points, rows x features."""
        pieces = [self._at(points[i : i + TOGETHER]) for i in range(0, len(points), TOGETHER)]
        return Posterior(
            np.concatenate([p.mean for p in pieces]),
            np.concatenate([p.deviation for p in pieces]),
            np.concatenate([p.distance for p in pieces]),
        )

    def _at(self, points: Array) -> Posterior:
        squares = squared_distances(points / self.lengths, self.points / self.lengths)
        near = _similarity(squares)
        explained = np.einsum("ij,ij->i", near @ self.inverse, near)
        return Posterior(
            self.means + near @ self.weights,
            self.scale * np.sqrt(np.clip(1.0 - explained, 0.0, None) + self.noise),
            np.sqrt(squares.min(1)),
        )

    def held_out(self) -> HeldOut:
        """Errors of the spared measurements, measured less predicted, with a tenth of all left out,
        and the deviations of their predictions; places are in lengths.

        With K the covariance and B what is left out, the errors are (K^-1)_BB^-1 (K^-1 y)_B, and
        their covariance is (K^-1)_BB^-1 (Rasmussen and Williams, 5.12 for one point)."""
        count = len(self.points)
        folds = np.arange(count) % _FOLDS
        errors, deviations = np.zeros_like(self.weights), np.zeros(count)
        for fold in range(min(_FOLDS, count)):
            out = np.flatnonzero(folds == fold)
            covariance = np.linalg.inv(self.inverse[np.ix_(out, out)])
            errors[out] = covariance @ self.weights[out]
            deviations[out] = self.scale * np.sqrt(np.clip(np.diag(covariance), 0.0, None))
        kept = self.spared
        return HeldOut.of(
            self.points[kept] / self.lengths, errors[kept], deviations[kept], folds[kept]
        )

    def held_out_distance(self) -> Array:
        """From each measurement to the nearest one of other folds, in lengths."""
        scaled = self.points / self.lengths
        squares = squared_distances(scaled, scaled)
        fold = np.arange(len(scaled)) % _FOLDS
        squares[fold[:, None] == fold[None, :]] = np.inf
        return np.sqrt(squares.min(1))


def fit(points: Array, targets: Array) -> Gaussian:
    """A process through `targets` (rows x targets) at `points` (rows x features)."""
    step = max(2 if len(points) >= _FEWEST_SPARED else 1, -(-len(points) // _SEARCHED))
    lengths, noise = _chosen(points[::step], targets[::step, 0], each=step > 1)
    spared = np.arange(len(points)) % step > 0
    inverse: Array = np.linalg.inv(_covariance(points, lengths, noise)).astype(np.float64)
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
    squares = squared_distances(points, points)
    tried = [
        (_likelihood(similarity, rest, noise), length, noise)
        for length in _LENGTHS
        for similarity in [_similarity(squares / length**2)]
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
            scaled = points / trial
            found = _likelihood(_similarity(squared_distances(scaled, scaled)), rest, noise)
            if found > best:
                best, lengths = found, trial
    return lengths, noise


def _likelihood(similarity: Array, rest: Array, noise: float) -> float:
    """The logarithm of the likelihood, with the scale that makes it largest (Rasmussen and
    Williams, 5.8), up to a constant.

    With L the Cholesky root of the covariance, L^-1 of the rest is the last row of the root of the
    covariance that has the rest as one more row: no system needs to be solved."""
    count = len(rest)
    bordered = np.empty((count + 1, count + 1))  # the part above the diagonal is not read
    bordered[:count, :count] = similarity
    bordered[np.diag_indices(count)] += noise
    bordered[count, :count] = rest
    bordered[count, count] = 2 * (rest @ rest) / noise + 1  # any above |L^-1 rest|^2
    try:
        root = np.linalg.cholesky(bordered)
    except np.linalg.LinAlgError:
        return -np.inf
    white, diagonal = root[count, :count], np.diag(root)[:count]
    variance = max(float(white @ white) / count, 1e-12)
    return float(-0.5 * count * np.log(variance) - np.log(diagonal).sum())


def _covariance(points: Array, lengths: Array, noise: float) -> Array:
    scaled = points / lengths
    found = _similarity(squared_distances(scaled, scaled))
    found[np.diag_indices_from(found)] += noise
    return found


def _similarity(squares: Array) -> Array:
    """Matern's with 3/2: one derivative, since times have kinks where another kernel is chosen."""
    far = np.sqrt(3.0 * squares)
    near = np.exp(-far)
    far += 1.0
    near *= far
    return near
