"""From scores to probabilities: a logistic curve for each keyword, drawn towards the one that fits all keywords.

Platt's method (1999) on leave-one-out scores, which are honest; the pooled curve is the prior of each keyword's own
(partial pooling), so that a keyword with three photos is calibrated like its kind and one with three hundred by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from keywright.learning.base import Floats

Doubles = NDArray[np.float64]
Numbers = TypeVar("Numbers", Floats, Doubles)

LOWEST = 0.02
"""Nobody is shown confidences below this, and nearly all are: they are not corrected."""
MOST_KNOTS = 40
FEWEST_IN_KNOT = 25
SLOPE_KEPT = 0.03
POOLED = 512
"""Of more keywords than that, so many stand for all in the common curve."""
ENOUGH_STEPS = 1e-4
"""Newton's method stops when it moves no curve by more."""


@dataclass(frozen=True, eq=False, slots=True)
class Curves:
    """confidence = logistic(slopes * score + offsets), each shape (k,); and the curve they are drawn towards."""

    slopes: Doubles
    offsets: Doubles
    common_slope: float
    common_offset: float


def logistic(x: Numbers) -> Numbers:
    out: Numbers = np.tanh(x * x.dtype.type(0.5))
    out += 1
    out *= x.dtype.type(0.5)
    return out


def fit_curves(
    scores: Floats | Doubles,
    labels: Floats | Doubles,
    weights: Floats | Doubles,
    *,
    slope_strength: float = 10.0,
    offset_strength: float = 2.0,
    steps: int = 12,
) -> Curves:
    """Scores, labels (0 to 1) and weights all of shape (n, k); the strengths count as so many bits of evidence.

    The strengths are precisions of Gaussian priors on log slope ratio and offset. Newton's method, all keywords at
    once.
    """
    s, y, w = (np.asarray(each, dtype=np.result_type(each, np.float32)) for each in (scores, labels, weights))
    common_slope, common_offset = _pooled(s, y, w)
    k = s.shape[1]
    slopes = np.full(k, common_slope)
    offsets = np.full(k, common_offset)
    slope_precision = slope_strength / common_slope**2
    for _ in range(steps):
        p = logistic(s * slopes.astype(s.dtype) + offsets.astype(s.dtype))
        r = w * (p - y)
        v = p
        v -= p * p
        v *= w
        g1 = _column_sums(r, s) + slope_precision * (slopes - common_slope)
        g0 = r.sum(0, dtype=np.float64) + offset_strength * (offsets - common_offset)
        h00 = v.sum(0, dtype=np.float64) + offset_strength
        v *= s
        h10 = v.sum(0, dtype=np.float64)
        h11 = _column_sums(v, s) + slope_precision
        det = h11 * h00 - h10 * h10
        d1 = (h00 * g1 - h10 * g0) / det
        d0 = (h11 * g0 - h10 * g1) / det
        slopes = slopes - np.clip(d1, -0.5 * common_slope, 0.5 * common_slope)
        offsets = offsets - np.clip(d0, -2, 2)
        if max(np.abs(d1).max() / common_slope, np.abs(d0).max()) < ENOUGH_STEPS:
            break
    return Curves(np.maximum(slopes, 0.05 * common_slope), offsets, common_slope, common_offset)


def _column_sums(one: Floats | Doubles, other: Floats | Doubles) -> Doubles:
    """Sums of the products of two columns each, in blocks so short that single precision loses nothing."""
    total = np.zeros(one.shape[1])
    for start in range(0, len(one), 256):
        total += np.einsum("ij,ij->j", one[start : start + 256], other[start : start + 256])
    return total


def _pooled(scores: Floats | Doubles, labels: Floats | Doubles, weights: Floats | Doubles) -> tuple[float, float]:
    some = slice(None, None, -(-weights.shape[1] // POOLED))
    counted = weights[:, some] > 0
    s, y, w = (each[:, some][counted].astype(np.float64) for each in (scores, labels, weights))
    total = max(float(w.sum()), 1e-9)
    prior = np.clip(float((w * y).sum()) / total, 1e-6, 1 - 1e-6)
    slope, offset = 5.0, float(np.log(prior / (1 - prior))) - 1.0
    for _ in range(30):
        p = logistic(slope * s + offset)
        r = w * (p - y)
        v = w * p * (1 - p)
        g1, g0 = (r * s).sum() + 0.01 * (slope - 5), r.sum() + 0.01 * offset
        h11, h10, h00 = (v * s * s).sum() + 0.01, (v * s).sum(), v.sum() + 0.01
        det = h11 * h00 - h10 * h10
        d1, d0 = (h00 * g1 - h10 * g0) / det, (h11 * g0 - h10 * g1) / det
        slope = max(slope - float(np.clip(d1, -3, 3)), 0.5)
        offset -= float(np.clip(d0, -3, 3))
        if max(abs(d1), abs(d0)) < ENOUGH_STEPS:
            break
    return slope, offset


@dataclass(frozen=True, slots=True)
class Correction:
    """A rising, piecewise linear map of confidences that all keywords share; below ``LOWEST`` nothing changes."""

    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def apply(self, confidences: Floats) -> Floats:
        """In place."""
        if self.knots:
            large = confidences > LOWEST
            confidences[large] = np.interp(confidences[large], self.knots, self.values)
        return confidences


NO_CORRECTION = Correction()


def fit_correction(confidences: Floats, labels: Floats, weights: Floats) -> Correction:
    """What the logistic curves' shape gets wrong for all keywords alike (Zadrozny & Elkan 2002, isotonic regression).

    Arguments of shape (n, k), confidences by leave-one-out. The map rises strictly, so no two photos become equal.
    """
    from scipy.optimize import isotonic_regression  # late, as in ``hierarchy``

    counts = (confidences > LOWEST) & (weights > 0)
    p, y, w = (a[counts].astype(np.float64) for a in (confidences, labels, weights))
    bins = min(MOST_KNOTS, len(p) // FEWEST_IN_KNOT)
    if bins < 2:
        return NO_CORRECTION
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, bins)
    size = np.array([w[part].sum() for part in parts])
    knots = np.array([(w[part] * p[part]).sum() for part in parts]) / size
    shares = np.array([(w[part] * y[part]).sum() for part in parts]) / size
    values = (1 - SLOPE_KEPT) * isotonic_regression(shares, weights=size).x + SLOPE_KEPT * knots
    rising = np.maximum(np.diff(knots, prepend=LOWEST), 0) > 1e-6
    knots, values = knots[rising], np.clip(values[rising], LOWEST, 1)
    return Correction((LOWEST, *knots.tolist(), 1.0), (LOWEST, *values.tolist(), 1.0))


def threshold_for_precision(
    confidences: Floats | Doubles, labels: Floats | Doubles, weights: Floats | Doubles, precision: float
) -> Doubles:
    """Shape (k,): the lowest confidence from which on the suggestions of a keyword are right in ``precision`` of cases.

    Counted on leave-one-out confidences, each of shape (n, k), and smoothed by what the confidences themselves say (two
    imagined suggestions at each place), so that three photos neither prove nor refute anything. Never below half the
    precision, and at most 0.99 where nothing reaches it.
    """
    out = np.empty(confidences.shape[1])
    for column in range(confidences.shape[1]):
        p = np.asarray(confidences[:, column], dtype=np.float64)
        order = np.argsort(-p, kind="stable")
        p, w, y = p[order], np.asarray(weights[order, column], float), np.asarray(labels[order, column], float)
        expected = np.cumsum(w * p) / np.maximum(np.cumsum(w), 1e-9)
        right = (np.cumsum(w * y) + 2 * expected) / (np.cumsum(w) + 2)
        reached = np.flatnonzero((right >= precision) & (p >= precision / 2))
        if not len(reached):
            out[column] = max(0.99, precision)
            continue
        # No photo lies between this one and the next: any confidence between them divides them as well, and of those
        # the precision itself is right often enough by what a confidence is.
        last = reached[-1]
        below = p[last + 1] if last + 1 < len(p) else 0.0
        out[column] = min(p[last], max(precision, (p[last] + below) / 2))
    return out
