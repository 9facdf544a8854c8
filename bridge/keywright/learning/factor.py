"""The factor of a fit, kept to learn single photos with: how all coefficients give way when one photo's target moves.

A ridge fit is linear in its targets, so moving the target of photo i by e moves the coefficients by ``d e`` and the
photo's own score by ``h e``: d is a column of the factor, h the photo's leverage. A photo that was not in the fit comes
in beside it (Sherman & Morrison 1950; for a kernel by bordering the inverse) without solving anything again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from keywright.learning.base import Floats, TrainingData, Vectors
from keywright.learning.exact import final_penalty, training_kernel
from keywright.learning.features import FeatureMap
from keywright.learning.landmarks import Gram, GramRidge, whitening
from keywright.learning.models import ModelSet
from keywright.learning.ridge import KernelRidge

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Direction:
    """How the fit gives way to one photo in it, for a target moved by 1."""

    features: Floats  # (m,): the photo, as the fit sees it
    coefficients: Floats  # (m,)
    intercept: float
    leverage: float  # how much of it the photo's own score takes on: within 0 and 1


@dataclass(frozen=True, eq=False, slots=True)
class SampledFactor:
    """Over features that do not grow. A photo outside moves them as it would with the fit's factor grown by it alone:
    the factor itself stays, so photos decided since the training do not know of each other."""

    ridge: GramRidge

    def direction(self, features: Floats, *, inside: bool) -> Direction:
        """``features`` shape (m,), of one photo; ``inside``: whether the factor was made with it."""
        white = self.ridge.whitened(features[None, :])[0]
        coefficients = np.asarray(self.ridge.whitener.T @ white, dtype=np.float32)
        share = 1 / self.ridge.photos
        leverage = float(white @ white) + share
        intercept = float(share - self.ridge.mean @ coefficients)
        if inside:
            return Direction(features, coefficients, intercept, min(leverage, 0.999))
        kept = 1 / (1 + leverage)
        return Direction(features, coefficients * np.float32(kept), intercept * kept, leverage * kept)


@dataclass(frozen=True, eq=False, slots=True)
class ExactFactor:
    """Over landmarks that are the photos: one that is none joins them.

    ``given`` (j, n) and ``intercepts`` (j,) are how the fit gives way to each that joined, ``left`` (j, j) is what they
    have left of each other. A photo that joined takes part in a keyword's fit only once a person said something of
    that keyword on it: so which of them do is asked for every direction.
    """

    ridge: KernelRidge
    given: Floats
    intercepts: Doubles
    left: Doubles

    @classmethod
    def of(cls, models: ModelSet) -> ExactFactor:
        """Raises ``LearningError`` where the photos are too much alike to be told apart."""
        features = models.features
        ridge = KernelRidge.of(training_kernel(features), final_penalty(features, models.choices))
        n = len(ridge.operator)
        factor = cls(ridge, np.zeros((0, n), dtype=np.float32), np.zeros(0), np.zeros((0, 0)))
        for place in range(n, features.dimension):
            factor = factor.with_photo(features.training_row(place)[:place])
        return factor

    def with_photo(self, likeness: Floats) -> ExactFactor:
        """With one photo more, whose likeness to all there are is ``likeness``, shape (n + j,)."""
        n = len(self.ridge.operator)
        away, intercept, left = self.ridge.bordered(likeness[:n])
        cross = likeness[n:].astype(np.float64) + self.given @ likeness[:n] + self.intercepts
        corner = np.array([[left + self.ridge.penalty]])
        return ExactFactor(
            self.ridge,
            np.vstack([self.given, away[None, :]]),
            np.append(self.intercepts, intercept),
            np.block([[self.left, cross[:, None]], [cross[None, :], corner]]),
        )

    def direction(self, features: Floats, place: int, partners: NDArray[np.bool_]) -> Direction:
        """Of the photo that is landmark ``place``, with likeness ``features`` to all, shape (n + j,).

        ``partners``, shape (j,), says which photos that joined take part in the keyword's fit; the photo itself does.
        """
        n = len(self.ridge.operator)
        taking_part = partners.copy()
        if place >= n:
            taking_part[place - n] = True
        some = np.flatnonzero(taking_part)
        given, left = self.given[some], self.left[np.ix_(some, some)]
        coefficients = np.zeros(n + len(partners), dtype=np.float32)
        intercept = 0.0
        if place < n:
            coefficients[:n] = self.ridge.operator[:, place]
            intercept = float(self.ridge.intercept_row[place])
            wanted = given[:, place].astype(np.float64)
        else:
            wanted = (some == place - n).astype(np.float64)
        if len(some):
            theirs = linalg.solve(left, wanted, assume_a="pos")
            coefficients[:n] += theirs.astype(np.float32) @ given
            coefficients[n + some] = theirs
            intercept += float(self.intercepts[some] @ theirs)
        leverage = 1 - self.ridge.penalty * float(coefficients[place])
        return Direction(features, coefficients, intercept, min(max(leverage, 0.0), 0.9999))


def open_factor(models: ModelSet, data: TrainingData) -> SampledFactor | ExactFactor:
    """The factor of a model set; ``data`` is what it was trained on, and only its vectors are read.

    Seconds for a large catalog: one Gram matrix. Raises ``LearningError`` where the photos are too much alike.
    """
    if not models.features.linear:
        return ExactFactor.of(models)
    lists = [rows for keyword in data.keywords for rows in (keyword.positives, keyword.rejections)]
    known = np.unique(np.concatenate(lists))
    vectors = data.vectors[known] if len(known) < len(data.vectors) else data.vectors
    gram = Gram.of(models.features, vectors)
    return SampledFactor(GramRidge.of(gram, models.choices.penalty, whitening(models.features)))


def place_of(features: FeatureMap, vector: Vectors) -> int | None:
    """Which landmark a photo is, those that joined among them."""
    assert features.landmarks is not None
    row = np.asarray(vector, dtype=np.float32)
    start = 0
    for some in (features.landmarks, features.joined):
        if some is None or not len(some):
            continue
        likeness = some @ row
        best = int(np.argmax(likeness))
        if np.allclose(some[best], row, atol=1e-6):
            return start + best
        start += len(some)
    return None
