"""Whether an encoder that was fine-tuned is better: photos decide in turns, each by networks that did not learn it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, KeywordExamples, TrainingData
from keywright.learning.choosing import average_precisions
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train

if TYPE_CHECKING:
    from keywright.encoders.tuning import Labels, Matrix, Rows

LEAST_GAIN = 0.002
"""In mean average precision on the deciding photos; and more than twice its standard error."""
TURNS = 3
STOPPING = 0.15  # of the photos that do not decide, those that say when to stop


@dataclass(frozen=True, slots=True)
class Turn:
    """Rows of photos: learned from, saying when to stop, deciding."""

    training: Rows
    stopping: Rows
    deciding: Rows


def parted(photos: int) -> list[Turn]:
    """Every photo decides in one turn."""
    parts = np.array_split(np.arange(photos), TURNS)
    turns = []
    for turn, deciding in enumerate(parts):
        others = np.concatenate([part for other, part in enumerate(parts) if other != turn])
        # Evenly from all of them: the order is that of the photos' content, and so none at all.
        stopping = others[:: round(1 / STOPPING)]
        turns.append(Turn(np.setdiff1d(others, stopping), stopping, deciding))
    return turns


def decide(
    before: Matrix, after: Sequence[Matrix], labels: Labels, turns: Sequence[Turn]
) -> tuple[tuple[float, float], float]:
    """Mean average precision on the deciding photos with each encoder, and their difference's standard error.

    Each keyword counts with its mean over the turns in which it is on deciding photos.
    """
    old = _mean_of([judged(before, labels, turn.training, turn.deciding) for turn in turns])
    new = _mean_of([judged(one, labels, turn.training, turn.deciding) for one, turn in zip(after, turns, strict=True)])
    means = float(np.nanmean(old)), float(np.nanmean(new))
    differences = (new - old)[~np.isnan(old)]
    if len(differences) < 2:
        return means, float("inf")
    return means, float(differences.std(ddof=1) / np.sqrt(len(differences)))


def _mean_of(precisions: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Over those that are known; nan where none is."""
    every = np.stack(precisions)
    known = ~np.isnan(every)
    counted = np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    found: NDArray[np.float64] = np.where(known, every, 0).sum(axis=0) / counted
    return found


def is_better(means: tuple[float, float], error: float) -> bool:
    return means[1] - means[0] > max(LEAST_GAIN, 2 * error)


def judged(vectors: Matrix, labels: Labels, taught: Rows, asked: Rows) -> NDArray[np.float64]:
    """Each keyword's average precision on photos ``asked`` of, from a learner that was taught others; nan with fewer
    than two photos."""
    known = labels[taught]
    paths = [KeywordPath((f"{column:05}",)) for column in range(known.shape[1])]
    examples = [
        KeywordExamples(path, np.flatnonzero(known[:, column]), NO_ROWS, NO_ROWS) for column, path in enumerate(paths)
    ]
    rows = vectors[taught]
    models = train(TrainingData("", rows, np.ones(len(rows), np.float32), examples), LearnerSettings()).models
    scores = np.zeros((len(asked), len(paths)), np.float32)
    place = {path: column for column, path in enumerate(paths)}
    scores[:, [place[path] for path in models.paths]] = models.confidences(vectors[asked])
    found = average_precisions(scores, labels[asked].astype(np.float32))
    found[labels[asked].sum(axis=0) < 2] = np.nan
    return found
