"""Learning with every training photo as a landmark: exact kernel ridge regression, for catalogs that allow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keywright.learning.base import Floats, KeywordExamples, Rows
from keywright.learning.ridge import Fit, KernelRidge
from keywright.learning.settings import LearnerSettings
from keywright.learning.targets import believed, carried, disowned, left_out_scores, residuals


@dataclass(frozen=True, eq=False, slots=True)
class Solved:
    """All keywords at once: the fit, honest scores of shape (n, k), and the positives set aside for each keyword."""

    fit: Fit
    scores: Floats
    set_aside: tuple[Rows, ...]


def solve(
    ridge: KernelRidge, examples: Sequence[KeywordExamples], relabelling: float, settings: LearnerSettings
) -> Solved:
    """Fit, look at the honest scores, believe some omissions, set poison aside, weigh primes, and fit once more."""
    photos = len(ridge.operator)
    labels = carried(examples, photos)
    scores = ridge.leave_one_out(labels, ridge.fit(labels))
    rejected = [keyword.rejections for keyword in examples]
    targets = believed(labels, scores, rejected, relabelling)
    set_aside = tuple(
        disowned(keyword.positives, scores[keyword.positives, column], np.delete(scores[:, column], keyword.positives))
        if settings.set_aside_poison
        else keyword.positives[:0]
        for column, keyword in enumerate(examples)
    )
    weighted = [
        column
        for column, keyword in enumerate(examples)
        if len(keyword.primes) + len(keyword.rejections) + len(set_aside[column])
    ]
    first = ridge.fit(targets)
    final = targets.copy() if weighted else targets
    special: list[tuple[int, Rows, Floats]] = []
    if weighted:
        fitted = ridge.fitted(targets, first)
        for column in weighted:
            rows, weights = row_weights(examples[column], set_aside[column], settings)
            block = (targets[rows, column], fitted[rows, column], ridge.hat(rows), weights)
            final[rows, column] += (weights - 1) * residuals(*block)
            special.append((column, rows, left_out_scores(*block)))
    fit = ridge.fit(final) if weighted else first
    honest = ridge.leave_one_out(final, fit)
    for column, rows, left_out in special:
        honest[rows, column] = left_out
    return Solved(fit, honest, set_aside)


def row_weights(keyword: KeywordExamples, set_aside: Rows, settings: LearnerSettings) -> tuple[Rows, Floats]:
    """The rows whose weight is not 1, with their weights: poison 0, primes and rejections more than an ordinary row."""
    heavy = np.union1d(keyword.primes, keyword.rejections)
    rows = np.union1d(heavy, set_aside)
    weights = np.full(len(rows), settings.prime_weight, dtype=np.float32)
    weights[np.isin(rows, set_aside) & ~np.isin(rows, heavy)] = 0
    return rows, weights
