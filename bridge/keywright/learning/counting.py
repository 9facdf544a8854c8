"""What the leave-one-out confidences of a training come to: counted once, kept with the version, asked later.

Confidences are counted in fifty steps for each keyword, so that the calibration error, precision and recall at any
threshold and the accuracy by number of training photos can be told afterwards without a vector. Figures over
leave-one-out confidences are those that photos get which the models have not seen (``honest.py``).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keywright.keywords import KeywordPath
from keywright.learning.base import KeywordExamples, LearningError
from keywright.learning.codec import pack, unpack
from keywright.learning.evaluation import (
    BINS,
    GROUPS,
    LEAST_SHOWN,
    CurvePoint,
    GroupResult,
    ReliabilityBin,
    calibration_error,
)
from keywright.learning.honest import Honest
from keywright.learning.models import ModelSet

STEPS = 50
"""Confidences are counted in so many steps of equal width; those in the lowest are not counted at all."""
LEAST_PHOTOS = 5
"""Keywords on fewer photos do not count in the mean average precision."""

Counted = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Counts:
    """Columns in the order of the model set. ``suggested``, ``right`` and ``sums`` have shape (k, STEPS): photos with a
    confidence in each step, those of them that carry the keyword, and the sum of the confidences."""

    paths: tuple[KeywordPath, ...]
    photos: int
    seconds: float
    trained: Counted  # (k,) photos each keyword was learned from
    carried: Counted  # (k,) training photos that carry it
    quality: Counted  # (k,) average precision, nan where nobody can tell
    suggested: Counted
    right: Counted
    sums: Counted
    suggested_at: Counted  # (k,) at the keyword's own threshold
    right_at: Counted

    def to_bytes(self) -> bytes:
        names = ("trained", "carried", "quality", "suggested", "right", "sums", "suggested_at", "right_at")
        values = {"paths": [list(p.parts) for p in self.paths], "photos": self.photos, "seconds": self.seconds}
        arrays = {name: np.asarray(getattr(self, name), dtype=np.float32) for name in names}
        return zlib.compress(pack(values, arrays), 6)

    @classmethod
    def from_bytes(cls, part: bytes) -> Counts:
        """Raises ``LearningError`` where the bytes are damaged."""
        try:
            values, arrays = unpack(zlib.decompress(part))
            paths = tuple(KeywordPath(tuple(parts)) for parts in values["paths"])
            doubles = {name: array.astype(np.float64) for name, array in arrays.items()}
            return cls(paths, int(values["photos"]), float(values["seconds"]), **doubles)
        except (zlib.error, KeyError, TypeError, ValueError) as error:
            raise LearningError(
                "The figures of this model version are damaged; learn again to have new ones."
            ) from error


@dataclass(frozen=True, slots=True)
class Figures:
    """How good a version is on photos it has not seen, by leave-one-out; nan where nobody can tell."""

    photos: int
    keywords: int
    seconds: float
    judged_keywords: int  # on at least five photos: those the mean average precision is over
    mean_average_precision: float
    calibration_error: float  # over confidences of 0.1 or more, in ten bins
    precision: float  # at the keywords' own thresholds, over all suggestions
    recall: float
    reliability: tuple[ReliabilityBin, ...]
    curve: tuple[CurvePoint, ...]  # over all keywords, one point for each step
    groups: tuple[GroupResult, ...]  # keywords by number of training photos


def count(honest: Honest, keywords: Sequence[KeywordExamples], models: ModelSet, seconds: float) -> Counts:
    """Count the leave-one-out confidences of one training, block by block.

    ``keywords`` are those of the training data that ``honest`` and ``models`` were made from; ``seconds`` is how long
    the training took.
    """
    from scipy import sparse  # late, as in ``hierarchy``

    k = len(models.keywords)
    positives = {keyword.path.key: keyword.positives for keyword in keywords}
    rows = [np.searchsorted(honest.row_numbers, positives[model.path.key]) for model in models.keywords]
    columns = np.repeat(np.arange(k), [len(some) for some in rows])
    ones = np.ones(len(columns), dtype=np.float32)
    labels = sparse.csr_matrix((ones, (np.concatenate([*rows, []]).astype(np.int64), columns)), (honest.photos, k))
    suggested, right, sums = (np.zeros((k, STEPS)) for _ in range(3))
    suggested_at, right_at = np.zeros(k), np.zeros(k)
    for block, confidences in honest.blocks():
        row, column = np.nonzero(confidences >= 1 / STEPS)
        value = confidences[row, column].astype(np.float64)
        place = column * STEPS + np.minimum((value * STEPS).astype(np.int64), STEPS - 1)
        suggested += np.bincount(place, minlength=k * STEPS).reshape(k, STEPS)
        sums += np.bincount(place, weights=value, minlength=k * STEPS).reshape(k, STEPS)
        suggested_at += np.bincount(column[value >= models.thresholds[column]], minlength=k)
        own = labels[block].tocoo()
        value = confidences[own.row, own.col].astype(np.float64)
        shown = value >= 1 / STEPS
        hit = own.col[shown] * STEPS + np.minimum((value[shown] * STEPS).astype(np.int64), STEPS - 1)
        right += np.bincount(hit, minlength=k * STEPS).reshape(k, STEPS)
        right_at += np.bincount(own.col[value >= models.thresholds[own.col]], minlength=k)
    return Counts(
        models.paths,
        honest.photos,
        seconds,
        models.photos.astype(np.float64),
        np.asarray(labels.sum(axis=0), dtype=np.float64).ravel(),
        np.array([model.average_precision for model in models.keywords], dtype=np.float64),
        suggested,
        right,
        sums,
        suggested_at,
        right_at,
    )


def figures(counts: Counts) -> Figures:
    """The figures of a version, from what was counted of it."""
    judged = (counts.trained >= LEAST_PHOTOS) & ~np.isnan(counts.quality)
    everything = np.ones(len(counts.paths), dtype=bool)
    bins = _reliability(counts, everything)
    groups = []
    for low, high in GROUPS:
        mine = (counts.trained >= low) & (counts.trained <= (high or np.inf))
        if not mine.any():
            continue
        ranked = mine & ~np.isnan(counts.quality)
        groups.append(
            GroupResult(
                f"{low}+" if high is None else str(low) if low == high else f"{low}-{high}",
                int(mine.sum()),
                float(counts.quality[ranked].mean()) if ranked.any() else float("nan"),
                _share(counts.right_at[mine].sum(), counts.suggested_at[mine].sum()),
                _share(counts.right_at[mine].sum(), counts.carried[mine].sum()),
                calibration_error(_reliability(counts, mine)),
            )
        )
    above, right = (np.cumsum(a.sum(axis=0)[::-1])[::-1] for a in (counts.suggested, counts.right))
    total = counts.carried.sum()
    curve = tuple(
        CurvePoint(step / STEPS, _share(right[step], above[step]), _share(right[step], total))
        for step in range(1, STEPS)
    )
    return Figures(
        counts.photos,
        len(counts.paths),
        counts.seconds,
        int(judged.sum()),
        float(counts.quality[judged].mean()) if judged.any() else float("nan"),
        calibration_error(bins),
        _share(counts.right_at.sum(), counts.suggested_at.sum()),
        _share(counts.right_at.sum(), total),
        bins,
        curve,
        tuple(groups),
    )


def expected_at(counts: Counts, column: int, confidence: float) -> tuple[float, float]:
    """Precision and recall of one keyword's suggestions from ``confidence`` on; nan where there are none to judge by.

    Within the step that holds ``confidence``, photos are taken to lie evenly.
    """
    place = min(max(confidence, 1 / STEPS) * STEPS, STEPS - 1e-9)
    step = int(place)
    share = np.zeros(STEPS)
    share[step + 1 :] = 1
    share[step] = step + 1 - place
    suggested, right = float(share @ counts.suggested[column]), float(share @ counts.right[column])
    return _share(right, suggested), _share(right, counts.carried[column])


def _reliability(counts: Counts, columns: NDArray[np.bool_]) -> tuple[ReliabilityBin, ...]:
    """Ten bins; of the first, only confidences that are ever shown could count, and those are above it."""
    wide = STEPS // BINS
    least = int(LEAST_SHOWN * BINS)
    parts = []
    suggested, sums, right = (
        a[columns].sum(axis=0).reshape(BINS, wide).sum(axis=1) for a in (counts.suggested, counts.sums, counts.right)
    )
    for i in range(BINS):
        n = suggested[i] if i >= least else 0.0
        parts.append(ReliabilityBin(i / BINS, (i + 1) / BINS, int(n), _share(sums[i], n), _share(right[i], n)))
    return tuple(parts)


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else float("nan")
