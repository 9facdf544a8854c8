"""From vectors to raw scores: exactly where the catalog allows it, through a Gram matrix where it is large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keywright.learning.base import Floats, KeywordExamples, Rows, TrainingData
from keywright.learning.choosing import choose
from keywright.learning.digests import RowDigests
from keywright.learning.exact import add_second_layer, final_penalty, solve
from keywright.learning.features import FeatureMap, squared_distances
from keywright.learning.few import Names, names_of
from keywright.learning.landmarks import Gram, GramRidge, memberships, whitening
from keywright.learning.models import Choices
from keywright.learning.points import PointMap, fit_points
from keywright.learning.ridge import Fit, KernelRidge
from keywright.learning.sampled import Cells, honest_blocks, solve_sampled
from keywright.learning.settings import LearnerSettings
from keywright.learning.targets import carried

LINEAR_PENALTIES = (0.3, 1.0, 3.0, 10.0)
LANDMARKS_PAY = 0.01
"""Landmarks are taken only where they rank better by so much: they cost time with every photo."""
GAMMA = 1.0
CHOOSE_ON = 2048
"""Photos of a large catalog on which features and penalties are compared."""


@dataclass(frozen=True, eq=False, slots=True)
class Learned:
    features: FeatureMap
    fit: Fit
    cells: Cells
    set_aside: tuple[Rows, ...]
    choices: Choices
    honest: Callable[[], Iterator[tuple[slice, Floats]]]  # raw leave-one-out scores of all photos
    names: Names | None  # what is added to raw scores for the keywords' names, already in ``cells`` and ``honest``


def learn(
    data: TrainingData,
    examples: Sequence[KeywordExamples],
    digests: RowDigests,
    choices: Choices | None,
    settings: LearnerSettings,
) -> Learned:
    """``choices`` of an earlier training, or ``None`` to choose anew."""
    if len(data.vectors) <= settings.exact_photos:
        return _learn_exactly(data, examples, digests, choices, settings)
    return _learn_sampled(data, examples, digests, choices, settings)


def _learn_exactly(
    data: TrainingData,
    examples: Sequence[KeywordExamples],
    digests: RowDigests,
    choices: Choices | None,
    settings: LearnerSettings,
) -> Learned:
    points = fit_points(data.vectors, data.head)
    placed = points(data.vectors)
    features = FeatureMap(points, False, np.asarray(data.vectors, dtype=np.float32), GAMMA, None, placed)
    kernel = features.likeness(squared_distances(placed, placed))
    if choices is None:
        choices, _ = choose(kernel, examples, digests)
    first = solve(KernelRidge.of(kernel, choices.penalty), examples, choices.relabelling, settings)
    features, kernel = add_second_layer(features, kernel, first, examples)
    ridge = KernelRidge.of(kernel, final_penalty(features, choices))
    solved = solve(ridge, examples, choices.relabelling, settings)
    names = names_of(data, examples, digests)
    if names is not None:
        names.add(solved.scores, data.vectors)
    labels = carried(examples, len(digests))
    weights = np.ones_like(labels)
    for column, keyword in enumerate(examples):
        weights[keyword.rejections, column] = settings.prime_weight
    cells = Cells(solved.scores, labels, weights, whole=True)
    everything = slice(0, len(digests))
    features = replace(features, reader=names.reader if names else None)
    return Learned(
        features, solved.fit, cells, solved.set_aside, choices, lambda: iter([(everything, solved.scores)]), names
    )


def _learn_sampled(
    data: TrainingData,
    examples: Sequence[KeywordExamples],
    digests: RowDigests,
    choices: Choices | None,
    settings: LearnerSettings,
) -> Learned:
    points = fit_points(data.vectors, None)
    features = FeatureMap(points, True)
    if choices is None or choices.landmarks:
        with_landmarks = _with_landmarks(points, data, digests, settings)
        if choices is None:
            choices, features = _choose_features(features, with_landmarks, data, examples, digests)
        else:
            features = with_landmarks
    labels = memberships(examples, len(digests))
    gram, moments = Gram.with_moments(features, data.vectors, labels)
    ridge = GramRidge.of(gram, choices.penalty, whitening(features))
    names = names_of(data, examples, digests)
    solved = solve_sampled(
        ridge, moments, features, data.vectors, labels, examples, digests, choices.relabelling, settings, names
    )

    def honest() -> Iterator[tuple[slice, Floats]]:
        for rows, scores in honest_blocks(solved.leverages, solved.fit, features, data.vectors, solved.targets):
            if names is not None:
                names.add(scores, data.vectors[rows])
            yield rows, scores

    return Learned(
        replace(features, reader=names.reader if names else None),
        solved.fit,
        solved.cells,
        solved.set_aside,
        choices,
        honest,
        names,
    )


def _with_landmarks(points: PointMap, data: TrainingData, digests: RowDigests, settings: LearnerSettings) -> FeatureMap:
    """Landmarks drawn by content, so that neither chance nor the order of the photos decides."""
    rows = np.argsort(digests[::-1] * np.uint64(0x9E3779B97F4A7C15), kind="stable")[: settings.landmarks]
    rows = len(digests) - 1 - rows
    return FeatureMap(points, True, np.asarray(data.vectors[np.sort(rows)], dtype=np.float32), GAMMA)


def _choose_features(
    linear: FeatureMap,
    with_landmarks: FeatureMap,
    data: TrainingData,
    examples: Sequence[KeywordExamples],
    digests: RowDigests,
) -> tuple[Choices, FeatureMap]:
    """Which features, which penalty and how much belief in omissions, on a sample of the photos."""
    rows = np.sort(np.argsort(digests, kind="stable")[:CHOOSE_ON])
    place = np.full(len(digests), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    few = [replace(k, positives=(p := place[k.positives])[p >= 0]) for k in examples]
    best = None
    for features in (linear, with_landmarks):
        block = features(data.vectors[rows])
        transform = whitening(features)
        if transform is not None:
            block = block @ transform
        block -= block.mean(axis=0)
        choices, quality = choose(block @ block.T, few, digests[rows], LINEAR_PENALTIES)
        choices = replace(choices, photos=len(digests), landmarks=features.landmarks is not None)
        if best is None or quality > best[1] + LANDMARKS_PAY:
            best = (choices, quality, features)
    assert best is not None
    return best[0], best[2]
