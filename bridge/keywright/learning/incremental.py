"""Learning one decision at once: the factor stays, a few keywords move, everything else is shared with the old version.

Giving a ridge fit one more photo of weight w and target t moves its coefficients by ``d (t - f) / (1/w + h)``: f is the
photo's score now, h its leverage and d the factor applied to its features (Sherman & Morrison 1950). Changing the
target of a photo that is in the fit already by e moves them by ``d e``. So a decision costs one product with the factor
and a sum for each keyword it touches, whatever the number of photos, and gives what solving everything again on the
same factor would give.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from keywright.keywords import KeywordPath
from keywright.learning.base import Floats, LearningError, TrainingData, Vectors
from keywright.learning.exact import final_penalty, training_kernel
from keywright.learning.features import FeatureMap
from keywright.learning.landmarks import Gram, GramRidge, whitening
from keywright.learning.models import KeywordModel, ModelSet
from keywright.learning.points import check_vectors
from keywright.learning.ridge import KernelRidge
from keywright.learning.settings import LearnerSettings


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answer on one photo; ``trained_on``: whether the photo was among the training photos."""

    keyword: KeywordPath
    accepted: bool
    trained_on: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Direction:
    """How the fit gives way to one photo."""

    coefficients: Floats  # (m,)
    intercept: float
    leverage: float


@dataclass(frozen=True, eq=False, slots=True)
class SampledFactor:
    """Over features that do not grow: the photo moves the weights it is seen through."""

    ridge: GramRidge

    def direction(self, features: Floats) -> Direction:
        """``features`` shape (m,), of one photo, in the fit or not."""
        white = self.ridge.whitened(features[None, :])[0]
        coefficients = np.asarray(self.ridge.whitener.T @ white, dtype=np.float32)
        share = 1 / self.ridge.photos
        return Direction(coefficients, float(share - self.ridge.mean @ coefficients), float(white @ white) + share)


@dataclass(frozen=True, eq=False, slots=True)
class ExactFactor:
    """Over landmarks that are the photos: a photo that is none becomes one."""

    ridge: KernelRidge

    def place(self, features: FeatureMap, vector: Vectors) -> int | None:
        """Which landmark this photo is."""
        assert features.landmarks is not None
        likeness = features.landmarks @ np.asarray(vector, dtype=np.float32)
        best = int(np.argmax(likeness))
        return best if np.allclose(features.landmarks[best], vector, atol=1e-6) else None

    def inside(self, place: int) -> Direction:
        column = np.ascontiguousarray(self.ridge.operator[:, place])
        leverage = 1 - self.ridge.penalty * float(column[place])
        return Direction(column, float(self.ridge.intercept_row[place]), leverage)

    def outside(self, features: Floats) -> Direction:
        given, intercept, left = self.ridge.bordered(features)
        penalty = self.ridge.penalty
        coefficients = np.append(given, np.float32(1)) / np.float32(penalty)
        return Direction(coefficients, intercept / penalty, left / penalty)


def open_factor(models: ModelSet, data: TrainingData) -> SampledFactor | ExactFactor:
    """The factor of a model set; ``data`` is what it was trained on, and only its vectors are read."""
    if not models.features.linear:
        return ExactFactor(
            KernelRidge.of(training_kernel(models.features), final_penalty(models.features, models.choices))
        )
    lists = [rows for keyword in data.keywords for rows in (keyword.positives, keyword.rejections)]
    known = np.unique(np.concatenate(lists))
    vectors = data.vectors[known] if len(known) < len(data.vectors) else data.vectors
    gram = Gram.of(models.features, vectors)
    return SampledFactor(GramRidge.of(gram, models.choices.penalty, whitening(models.features)))


@dataclass(frozen=True, eq=False)
class Learner:
    """A model set with the factor that decisions are learned with; opened once (seconds), used for many decisions."""

    models: ModelSet
    settings: LearnerSettings
    factor: SampledFactor | ExactFactor

    @classmethod
    def open(cls, models: ModelSet, data: TrainingData, settings: LearnerSettings) -> Learner:
        """Raises ``LearningError`` where the data is of another encoder."""
        if data.encoder_id != models.encoder_id:
            raise LearningError(
                f"The model was learned from vectors of {models.encoder_id}, not {data.encoder_id}; learn again."
            )
        return cls(models, settings, open_factor(models, data))

    def decide(self, vector: Vectors, decision: Decision) -> Learner:
        """The learner after one decision on the photo with this vector, shape (d,); this one is unchanged.

        An accepted keyword is accepted with all above it, a rejected one rejected with all below it. A keyword
        without a model is left for the next training. Raises ``LearningError`` for a vector that does not fit.
        """
        row = np.asarray(vector, dtype=np.float32)[None, :]
        check_vectors(row, self.models.features.points.dimension)
        columns = self._touched(decision)
        if not columns:
            return self
        features, factor, trained_on = self.models.features, self.factor, decision.trained_on
        likeness = features(row)[0]
        old = list(self.models.keywords)
        if isinstance(factor, SampledFactor):
            direction = factor.direction(likeness)
        elif (place := factor.place(features, row[0])) is not None:
            direction, trained_on = factor.inside(place), True
        else:
            direction, trained_on = factor.outside(likeness), False
            weight = 1.0 if decision.accepted else self.settings.prime_weight
            factor = ExactFactor(factor.ridge.with_photo(likeness, weight))
            features = features.with_landmark(row)
            likeness = np.append(likeness, np.float32(0))  # what it says of itself is not yet learned
            none = np.zeros(1, dtype=np.float32)
            old = [replace(model, weights=np.concatenate([model.weights, none])) for model in old]
        models = list(old)
        for column in columns:
            models[column] = self._moved(old[column], likeness, direction, decision, trained_on)
        moved = replace(self.models, features=features, keywords=tuple(models), _features_part=None)
        return replace(self, models=moved, factor=factor)

    def _touched(self, decision: Decision) -> list[int]:
        column = self.models.columns.get(decision.keyword.key)
        if column is None:
            return []
        if not decision.accepted:
            return list(range(column, int(self.models.tree.ends[column])))
        columns = [column]
        while (column := int(self.models.tree.parents[column])) >= 0:
            columns.append(column)
        return columns

    def _moved(
        self, model: KeywordModel, features: Floats, direction: Direction, decision: Decision, trained_on: bool
    ) -> KeywordModel:
        score = float((features @ model.weights + model.offset - model.base) / model.slope)
        target = max(1.0, score) if decision.accepted else min(0.0, score)  # a yes never lowers, a no never raises
        weight = 1.0 if decision.accepted else self.settings.prime_weight
        h = direction.leverage
        step = 0.0
        if trained_on:
            # its target until now: 0, or what was believed of the score the other photos gave it
            belief = self.models.choices.relabelling
            others = score / (1 - h + h * belief)
            step = target - min(max(others, 0.0), 1.0) * belief
            score += step * h
            weight -= 1
        if weight > 0:
            step += (target - score) / (1 / weight + h)
        move = model.slope * step
        return replace(
            model,
            weights=model.weights + direction.coefficients * np.float32(move),
            offset=float(np.float32(model.offset + move * direction.intercept)),
            photos=model.photos + int(decision.accepted),
            digest="",  # no longer what a training would give: the next one solves it again
        )
