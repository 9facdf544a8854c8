"""What each photo is taken to say of each keyword: missing keywords, rejections, primes and poison as targets.

Every keyword shares one factor, so a photo cannot simply weigh more for one keyword than for another. But a ridge fit
in which row i weighs w is the unweighted fit to the target t + (w - 1) r, r being the weighted fit's own residual; for
the few rows S of a keyword whose weight is not 1, r solves the small system (I + H_SS (W - I)) r = t - f. So weights
cost one small solve a keyword, and the factor stays shared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keywright.learning.base import NO_ROWS, Floats, KeywordExamples, Rows
from keywright.learning.settings import LearnerSettings

FEWEST_TO_DISOWN = 6


def carried(examples: Sequence[KeywordExamples], photos: int) -> Floats:
    """Shape (photos, keywords): 1 where a photo carries the keyword, else 0."""
    targets = np.zeros((photos, len(examples)), dtype=np.float32)
    for column, keyword in enumerate(examples):
        targets[keyword.positives, column] = 1
    return targets


def believed(targets: Floats, scores: Floats, rejected: Sequence[Rows], strength: float) -> Floats:
    """The targets in which a missing keyword counts as far as the other photos say it is an omission.

    ``scores`` are leave-one-out scores, shape as ``targets``; an unkeyworded photo's target becomes ``strength`` times
    its score, within 0 and 1. A rejection stays a plain no.
    """
    if strength == 0:
        return targets
    extra = np.clip(scores, 0, 1)
    extra *= np.float32(strength)
    extra *= targets == 0
    for column, rows in enumerate(rejected):
        extra[rows, column] = 0
    extra += targets
    np.minimum(extra, 1, out=extra)
    return extra


def row_weights(keyword: KeywordExamples, set_aside: Rows, settings: LearnerSettings) -> tuple[Rows, Floats]:
    """The rows whose weight is not 1, with their weights: poison 0, primes and rejections more than an ordinary row."""
    heavy = np.union1d(keyword.primes, keyword.rejections)
    rows = np.union1d(heavy, set_aside)
    weights = np.full(len(rows), settings.prime_weight, dtype=np.float32)
    weights[np.isin(rows, set_aside) & ~np.isin(rows, heavy)] = 0
    return rows, weights


def residuals(targets: Floats, fitted: Floats, hat: Floats, weights: Floats) -> Floats:
    """The weighted fit's residuals on the rows that weigh other than 1, all arguments restricted to those rows.

    ``targets + (weights - 1) * residuals`` are the targets whose unweighted fit is the weighted one.
    """
    extra = (weights - 1).astype(np.float64)
    system = np.eye(len(targets)) + hat.astype(np.float64) * extra
    return np.linalg.solve(system, (targets - fitted).astype(np.float64)).astype(np.float32)


def left_out_scores(targets: Floats, fitted: Floats, hat: Floats, weights: Floats) -> Floats:
    """Leave-one-out scores of those same rows in the weighted fit: each row's score with its own weight set to 0."""
    scores = np.empty(len(targets), dtype=np.float32)
    for row in range(len(targets)):
        without = weights.copy()
        without[row] = 0
        scores[row] = targets[row] - residuals(targets, fitted, hat, without)[row]
    return scores


def disowned(positives: Rows, scores: Floats, background: Floats) -> Rows:
    """The positives that the rest of their keyword disowns, at most a fifth of them.

    ``scores``: leave-one-out scores of the positives; ``background``: scores of photos without the keyword. A positive
    is disowned when more than half of the photos without the keyword score higher, although the keyword is one that
    can be told: most of its positives are twice as far above that middle as the 99th percentile is.
    """
    if len(positives) < FEWEST_TO_DISOWN or not len(background):
        return NO_ROWS
    middle, high = np.quantile(background, [0.5, 0.99])
    if np.median(scores) < high + (high - middle):
        return NO_ROWS
    order = np.argsort(scores, kind="stable")[: len(positives) // 5]
    return np.sort(positives[order[scores[order] < middle]])
