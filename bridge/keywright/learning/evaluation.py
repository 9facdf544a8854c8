"""How good the suggestions are: ranking, precision and recall at the thresholds, honesty of the confidences.

Pure functions over arrays. ``confidences`` and ``truth`` have shape (n, k), columns in the order of ``paths``; truth
holds what a photo carries, parents included. Missing keywords make measured precision a lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keywright.keywords import KeywordPath
from keywright.learning.base import Floats

Truth = NDArray[np.bool_]
GROUPS = ((1, 1), (2, 4), (5, 9), (10, 24), (25, None))
"""Keywords by their number of training photos."""
BINS = 10
LEAST_SHOWN = 0.1
"""Confidences below this are never shown, so they do not count as suggestions in the calibration error."""


@dataclass(frozen=True, slots=True)
class KeywordResult:
    keyword: str
    training_photos: int
    photos: int  # that carry it among those evaluated
    average_precision: float  # nan where no evaluated photo carries it
    threshold: float
    suggested: int
    right: int  # suggested and carried
    precision: float  # nan where nothing is suggested
    recall: float  # nan where no photo carries it
    coverage: float  # share of the photos on which it is suggested


@dataclass(frozen=True, slots=True)
class GroupResult:
    """Keywords with a like number of training photos; means over keywords, precision and recall over suggestions."""

    training_photos: str
    keywords: int
    mean_average_precision: float
    precision: float
    recall: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    low: float
    high: float
    suggestions: int
    mean_confidence: float
    share_right: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Over all keywords: what suggesting everything from ``confidence`` on gives."""

    confidence: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    photos: int
    keywords: int
    judged_keywords: int  # those the mean average precision is over
    mean_average_precision: float
    precision: float  # at the keywords' thresholds, over all suggestions
    recall: float
    coverage: float  # share of the photos that get at least one suggestion
    calibration_error: float  # over all suggestions with a confidence of 0.1 or more, in ten bins
    reliability: tuple[ReliabilityBin, ...]
    curve: tuple[CurvePoint, ...]
    groups: tuple[GroupResult, ...]
    per_keyword: tuple[KeywordResult, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``; what is not a number becomes ``None``."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def evaluate(
    paths: Sequence[KeywordPath],
    confidences: Floats,
    truth: Truth,
    thresholds: Floats,
    training_photos: Sequence[int] | NDArray[np.int64],
    judged: Truth | None = None,
    *,
    least_training: int = 5,
    least_photos: int = 3,
) -> Evaluation:
    """Everything the accuracy report shows.

    ``judged``, shape (k,): the columns the mean average precision is taken over, by default all; of them those count
    that have ``least_training`` training photos and ``least_photos`` evaluated ones. Everything else counts every
    column.
    """
    if confidences.shape != truth.shape or confidences.shape[1] != len(paths):
        raise ValueError(f"confidences {confidences.shape}, truth {truth.shape}, {len(paths)} keywords")
    trained = np.asarray(training_photos, dtype=np.int64)
    carried = truth.sum(axis=0)
    suggested = confidences >= np.asarray(thresholds)[None, :]
    right = suggested & truth
    from keywright.learning.choosing import average_precisions  # late: figures that are only read need no scipy

    quality = average_precisions(confidences, truth.astype(np.float32))
    counts = (trained >= least_training) & (carried >= least_photos)
    if judged is not None:
        counts &= judged
    photos = len(truth)
    keywords = tuple(
        KeywordResult(
            str(path),
            int(trained[column]),
            int(carried[column]),
            float(quality[column]),
            float(thresholds[column]),
            int(suggested[:, column].sum()),
            int(right[:, column].sum()),
            _share(right[:, column].sum(), suggested[:, column].sum()),
            _share(right[:, column].sum(), carried[column]),
            _share(suggested[:, column].sum(), photos),
        )
        for column, path in enumerate(paths)
    )
    groups = []
    for low, high in GROUPS:
        mine = (trained >= low) & (trained <= (high or trained.max(initial=0) + low))
        if not mine.any():
            continue
        ranked = mine & (carried >= least_photos) & (True if judged is None else judged)
        groups.append(
            GroupResult(
                f"{low}+" if high is None else str(low) if low == high else f"{low}-{high}",
                int(mine.sum()),
                float(np.mean(quality[ranked])) if ranked.any() else float("nan"),
                _share(right[:, mine].sum(), suggested[:, mine].sum()),
                _share(right[:, mine].sum(), carried[mine].sum()),
                calibration_error(reliability(confidences[:, mine], truth[:, mine])),
            )
        )
    bins = reliability(confidences, truth)
    return Evaluation(
        photos,
        len(paths),
        int(counts.sum()),
        float(np.mean(quality[counts])) if counts.any() else float("nan"),
        _share(right.sum(), suggested.sum()),
        _share(right.sum(), carried.sum()),
        _share(suggested.any(axis=1).sum(), photos),
        calibration_error(bins),
        bins,
        precision_recall_curve(confidences, truth),
        tuple(groups),
        keywords,
    )


def reliability(confidences: Floats, truth: Truth, least: float = LEAST_SHOWN) -> tuple[ReliabilityBin, ...]:
    """Ten bins of equal width over 0 to 1, of the suggestions with a confidence of at least ``least``."""
    shown = confidences >= least
    values, right = confidences[shown].astype(np.float64), truth[shown]
    places = np.minimum((values * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = np.bincount(places, weights=values, minlength=BINS)
    hits = np.bincount(places, weights=right, minlength=BINS)
    return tuple(
        ReliabilityBin(i / BINS, (i + 1) / BINS, int(counts[i]), _share(sums[i], counts[i]), _share(hits[i], counts[i]))
        for i in range(BINS)
    )


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Expected calibration error (Naeini et al. 2015): mean gap of confidence and share right, by suggestions."""
    total = sum(b.suggestions for b in bins)
    if not total:
        return float("nan")
    return sum(b.suggestions * abs(b.mean_confidence - b.share_right) for b in bins if b.suggestions) / total


def precision_recall_curve(confidences: Floats, truth: Truth, points: int = 99) -> tuple[CurvePoint, ...]:
    """Precision and recall over all keywords at confidences 0.01, 0.02, ... 0.99."""
    levels = np.arange(1, points + 1) / (points + 1)
    edges = np.append(levels, np.inf)
    places = np.digitize(confidences.ravel(), levels)
    counts = np.bincount(places, minlength=len(edges))
    hits = np.bincount(places, weights=truth.ravel(), minlength=len(edges))
    above, right = np.cumsum(counts[::-1])[::-1][1:], np.cumsum(hits[::-1])[::-1][1:]
    total = truth.sum()
    return tuple(
        CurvePoint(float(level), _share(r, a), _share(r, total))
        for level, a, r in zip(levels, above, right, strict=True)
    )


def _share(part: float | np.generic, whole: float | np.generic) -> float:
    return float(part) / float(whole) if whole else float("nan")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
