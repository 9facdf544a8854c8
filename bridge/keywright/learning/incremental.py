"""Learning what a person says of one photo at once: a few keywords move, everything else is shared with before.

What is known of a keyword on a photo is its *standing*. Each standing is a target with a weight, a weighted row of a
ridge fit is an unweighted one with another target (``targets.py``), and the fit is linear in its targets
(``factor.py``). So a new standing moves the keyword's coefficients along one direction by one number, whatever the
number of photos, and gives what solving everything again on the same factor would give. Taking it back moves them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from keywright.keywords import KeywordPath, with_prefixes
from keywright.learning.base import Floats, LearningError, TrainingData, Vectors
from keywright.learning.factor import Direction, ExactFactor, SampledFactor, open_factor, place_of
from keywright.learning.models import KeywordModel, ModelSet
from keywright.learning.points import check_vectors
from keywright.learning.settings import LearnerSettings

MOST_JOINED = 1024
"""Photos that may join an exact model between two trainings: bounds the memory and time of one decision."""


class Standing(IntEnum):
    """What is known of a keyword on a photo."""

    SILENT = 0  # nobody said anything
    CARRIED = 1
    PRIME = 2  # carried, and marked as a prime example
    REFUSED = 3


Standings = NDArray[np.int8]
"""Shape (k,): the standing of every keyword of a model set on one photo."""


class FullError(LearningError):
    """No more photos can join before the next training."""


def standings(
    models: ModelSet,
    carried: Iterable[KeywordPath],
    refused: Iterable[KeywordPath] = (),
    primes: Iterable[KeywordPath] = (),
) -> Standings:
    """A photo that carries a keyword carries all above it; one refused a keyword is refused all below it. What it
    carries it is not refused."""
    found = np.zeros(len(models.keywords), dtype=np.int8)
    for path in refused:
        if (column := models.columns.get(path.key)) is not None:
            found[column : models.tree.ends[column]] = Standing.REFUSED
    for path in carried:
        for key in with_prefixes(path.key):
            if (column := models.columns.get(key)) is not None:
                found[column] = Standing.CARRIED
    for path in primes:
        column = models.columns.get(path.key)
        if column is not None and found[column] == Standing.CARRIED:
            found[column] = Standing.PRIME
    return found


@dataclass(frozen=True, eq=False)
class Learner:
    """A model set with the factor that it is moved by; opened once (seconds), used for many decisions; immutable."""

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

    def tell(self, vector: Vectors, before: Standings, after: Standings, *, inside: bool) -> Learner:
        """The learner once a photo's standings are ``after``, where the models know ``before``; this one is unchanged.

        ``vector``, shape (d,), is the photo's; ``inside`` says whether it was among the photos the factor was opened
        with (an exact model knows by itself, and what its photos' targets are). Raises ``LearningError`` for a vector
        that does not fit, ``FullError`` where too many photos have joined since the training.
        """
        row = np.asarray(vector, dtype=np.float32)[None, :]
        check_vectors(row, self.models.features.points.dimension)
        columns = [int(column) for column in np.flatnonzero(before != after)]
        if not columns:
            return self
        if isinstance(self.factor, SampledFactor):
            direction = self.factor.direction(self.models.features(row)[0], inside=inside)
            move = _Move(self.models, self.settings, None, inside)
            changed = {c: move.model(c, direction, before[c], after[c]) for c in columns}
            return replace(self, models=self.models.moved(self.models.features, changed))
        return self._tell_exactly(self.factor, row, columns, before, after)

    def _tell_exactly(
        self, factor: ExactFactor, row: Floats, columns: Sequence[int], before: Standings, after: Standings
    ) -> Learner:
        features = self.models.features
        place = place_of(features, row[0])
        if place is None:
            if features.joined is not None and len(features.joined) >= MOST_JOINED:
                raise FullError(f"{MOST_JOINED} photos were decided on since the last training; learn again to go on.")
            place = features.dimension
            features = features.with_joined(row)
            likeness = features.training_row(place)
            factor = factor.with_photo(likeness[:place])
        else:
            likeness = features.training_row(place)
        trained = features.trained_dimension
        directions: dict[bytes, Direction] = {}
        move = _Move(self.models, self.settings, (place, factor.ridge.penalty), place < trained)
        changed = {}
        for column in columns:
            partners = np.zeros(features.dimension - trained, dtype=bool)
            known = self.models.keywords[column].weights[trained:]
            partners[: len(known)] = known != 0
            direction = directions.get(partners.tobytes())
            if direction is None:
                direction = directions[partners.tobytes()] = factor.direction(likeness, place, partners)
            changed[column] = move.model(column, direction, before[column], after[column])
        return replace(self, models=self.models.moved(features, changed), factor=factor)


@dataclass(frozen=True, slots=True)
class _Move:
    """From one standing to another on one photo. ``exact``: its landmark and the penalty, in an exact model;
    ``inside``: whether it was a training photo."""

    models: ModelSet
    settings: LearnerSettings
    exact: tuple[int, float] | None
    inside: bool

    def model(self, column: int, direction: Direction, before: np.int8, after: np.int8) -> KeywordModel:
        model = self.models.keywords[column]
        old, new = Standing(int(before)), Standing(int(after))
        weights = np.zeros(len(direction.coefficients), dtype=np.float32)
        weights[: len(model.weights)] = model.weights
        score = float((direction.features @ weights + model.offset - model.base) / model.slope)
        h = direction.leverage
        if self.exact is not None:
            # an exact fit tells its photos' targets: target = score + penalty * coefficient
            place, penalty = self.exact
            target = score + penalty * float(weights[place]) / model.slope
        else:
            target = self._target_until_now(score, h, old)
        others = (score - h * target) / (1 - h)
        move = model.slope * (self._target(others, h, new) - target)
        weights += direction.coefficients * np.float32(move)
        if self.exact is not None and new is Standing.SILENT and not self.inside:
            weights[self.exact[0]] = 0  # it takes no part in this keyword's fit again
        return replace(
            model,
            weights=weights,
            offset=float(np.float32(model.offset + move * direction.intercept)),
            photos=model.photos + int(new in _YES) - int(old in _YES),
            digest="",  # no longer what a training would give: the next one solves it again
        )

    def _weight(self, standing: Standing) -> float:
        return 1.0 if standing in (Standing.CARRIED, Standing.SILENT) else self.settings.prime_weight

    def _target(self, others: float, h: float, standing: Standing) -> float:
        """The target of an unweighted row that does what this standing should; ``others`` is the score that all other
        photos give. A yes never lowers, a no never raises."""
        if standing is Standing.SILENT:
            # a photo that was no training photo takes no part again; of others an omission is believed in part
            return self.models.choices.relabelling * min(max(others, 0.0), 1.0) if self.inside else others
        wanted = max(1.0, others) if standing in _YES else min(0.0, others)
        extra = self._weight(standing) - 1
        return ((1 + extra) * wanted - extra * (1 - h) * others) / (1 + extra * h)

    def _target_until_now(self, score: float, h: float, standing: Standing) -> float:
        """The same from the score that the photo itself took part in."""
        if standing is Standing.SILENT:
            if not self.inside:
                return score
            belief = self.models.choices.relabelling
            others = score / (1 - h + h * belief)
            if others > 1:
                others = (score - h * belief) / (1 - h)
            return belief * min(max(others, 0.0), 1.0)
        wanted = max(1.0, score) if standing in _YES else min(0.0, score)
        return wanted + (self._weight(standing) - 1) * (wanted - score)


_YES = (Standing.CARRIED, Standing.PRIME)
