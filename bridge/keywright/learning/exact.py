"""Learning with every training photo as a landmark: exact kernel ridge regression, for catalogs that allow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from keywright.learning.base import Floats, KeywordExamples, Rows
from keywright.learning.features import FeatureMap, SecondLayer, squared_distances
from keywright.learning.models import Choices
from keywright.learning.ridge import Fit, KernelRidge
from keywright.learning.settings import LearnerSettings
from keywright.learning.targets import believed, carried, disowned, left_out_scores, residuals, row_weights

LOOKS_SHARE = 0.5
"""How much of the first layer's gamma the second keeps for likeness of looks."""
SCORES_WEIGHT = 0.3
"""Two ordinary photos differ by so much (in the exponent) by their scores."""
SECOND_PENALTY = 2.0
"""The second layer's penalty, as a multiple of the first's."""
SMALLEST_SPREAD = 0.01
FEWEST_TO_COMPARE_BY = 3


@dataclass(frozen=True, eq=False, slots=True)
class Solved:
    """All keywords at once: the fit, honest scores of shape (n, k), and the positives set aside for each keyword."""

    fit: Fit
    scores: Floats
    set_aside: tuple[Rows, ...]


def solve(
    ridge: KernelRidge,
    examples: Sequence[KeywordExamples],
    relabelling: float,
    settings: LearnerSettings,
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


def add_second_layer(
    features: FeatureMap, kernel: Floats, solved: Solved, examples: Sequence[KeywordExamples]
) -> tuple[FeatureMap, Floats]:
    """The features with a second layer over this solution's scores, and their kernel on the training photos.

    A photo's own leave-one-out score says nothing of a keyword on one or two photos: such keywords are not compared by,
    and where most are such, photos are compared by their looks alone.
    """
    telling = np.array([len(keyword.positives) >= FEWEST_TO_COMPARE_BY for keyword in examples])
    if telling.mean() < 0.5:
        return features, kernel
    solved = replace(
        solved,
        scores=np.ascontiguousarray(solved.scores[:, telling]),
        fit=Fit(np.ascontiguousarray(solved.fit.coefficients[:, telling]), solved.fit.intercepts[telling]),
    )
    spread = np.maximum(solved.scores.std(axis=0), np.float32(SMALLEST_SPREAD))
    scores = solved.scores / spread
    apart = squared_distances(scores, scores)
    unit = float(np.median(apart[:: max(1, len(apart) // 500)])) / SCORES_WEIGHT
    if not unit > 0:
        return features, kernel
    scores *= np.float32(unit**-0.5)
    scale = np.float32(unit**-0.5) / spread
    second = SecondLayer(LOOKS_SHARE, solved.fit.coefficients * scale, solved.fit.intercepts * scale, scores)
    apart *= np.float32(-1 / unit)
    # kernel ** share is exp(-gamma share |x - l|^2)
    with np.errstate(divide="ignore"):
        apart += np.float32(LOOKS_SHARE) * np.log(kernel)
    np.exp(apart, out=apart)
    return replace(features, second=second), apart


def final_penalty(features: FeatureMap, choices: Choices) -> float:
    return choices.penalty * (1.0 if features.second is None else SECOND_PENALTY)


def training_kernel(features: FeatureMap) -> Floats:
    """The kernel the landmarks were trained with: their second-layer scores are leave-one-out scores."""
    if features.landmarks is None:
        raise ValueError("these features have no landmarks")
    placed = features.points(features.landmarks)
    apart = squared_distances(placed, placed)
    if features.second is None:
        return features.likeness(apart)
    apart *= np.float32(features.gamma * features.second.share)
    apart += squared_distances(features.second.landmark_scores, features.second.landmark_scores)
    np.negative(apart, out=apart)
    np.exp(apart, out=apart)
    return apart
