"""Keywords that are probably missing in a catalog, and keywords that are probably wrong, by leave-one-out confidence.

Every photo is judged by models that never saw it. Missing: a confident keyword the photo does not carry. Wrong: a
keyword the photo carries though it makes the keyword less likely than drawing a photo blindly would. If ``p`` is the
leave-one-out confidence and ``b`` the keyword's share of the photos, then ``p / (1 - p)`` over ``b / (1 - b)`` is how
many times likelier the photo's look is with the keyword than without it (Bayes); with one keyword in twenty wrong
beforehand, the chance that this one is wrong follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, Floats, KeywordExamples, LearningError, Rows
from keywright.learning.honest import Honest
from keywright.learning.models import ModelSet

WRONG_BEFOREHAND = 0.05


class Doubt(StrEnum):
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    row: int
    keyword: KeywordPath
    doubt: Doubt
    confidence: float  # that the photo should carry the keyword, judged without this photo
    chance: float  # that the catalog is in error here
    instead: KeywordPath | None = None  # wrong: a sibling the photo is taken for, where one is likely


def audit(
    models: ModelSet,
    honest: Honest,
    keywords: Sequence[KeywordExamples],
    *,
    limit: int = 200,
    min_confidence: float | None = None,
) -> tuple[list[Finding], list[Finding]]:
    """Missing and wrong keywords, each at most ``limit`` (0: all), most certain first.

    ``min_confidence`` for what is missing; without it each keyword's own threshold. Of what is missing on one photo
    only the most specific is listed, and nothing a person rejected there. Of what is wrong, only keywords that no
    likelier keyword below them on the same photo explains.
    """
    if honest.keywords != len(models.keywords):
        raise LearningError("The leave-one-out confidences are not of these models; learn again before the audit.")
    by_key = {keyword.path.key: keyword for keyword in keywords}
    examples = [by_key.get(path.key) for path in models.paths]
    carried = _memberships([NO_ROWS if e is None else e.positives for e in examples], honest)
    rejected = _memberships([NO_ROWS if e is None else e.rejections for e in examples], honest)
    base = np.clip(models.photos / max(honest.photos, 1), 1e-6, 0.9)
    odds_before = (base / (1 - base)).astype(np.float32)
    bars = models.thresholds.copy() if min_confidence is None else np.full(len(models.keywords), min_confidence)
    bars[models.photos < models.min_photos] = np.inf
    missing: list[Finding] = []
    wrong: list[Finding] = []
    for rows, confidences in honest.blocks():
        has, no = carried(rows), rejected(rows)
        lacking = (confidences >= bars) & ~has & ~no
        for i, column in zip(*np.nonzero(lacking), strict=True):
            if lacking[i, column + 1 : models.tree.ends[column]].any():
                continue
            p = float(confidences[i, column])
            missing.append(
                Finding(int(honest.row_numbers[rows.start + int(i)]), models.keywords[column].path, Doubt.MISSING, p, p)
            )
        for i, column in zip(*np.nonzero(has), strict=True):
            if models.photos[column] < 2 or has[i, column + 1 : models.tree.ends[column]].any():
                continue
            p = min(float(confidences[i, column]), 1 - 1e-6)
            times = p / (1 - p) / float(odds_before[column])
            chance = WRONG_BEFOREHAND / (WRONG_BEFOREHAND + (1 - WRONG_BEFOREHAND) * times)
            instead = _instead(models, confidences[i], int(column), p)
            wrong.append(
                Finding(
                    int(honest.row_numbers[rows.start + int(i)]),
                    models.keywords[column].path,
                    Doubt.WRONG,
                    p,
                    chance,
                    instead,
                )
            )
    missing.sort(key=lambda f: (-f.chance, f.row))
    wrong.sort(key=lambda f: (-f.chance, f.row))
    return (missing[:limit], wrong[:limit]) if limit else (missing, wrong)


def _instead(models: ModelSet, confidences: Floats, column: int, own: float) -> KeywordPath | None:
    parent = models.tree.parents[column]
    siblings = np.flatnonzero(models.tree.parents == parent)
    best = int(siblings[np.argmax(confidences[siblings])])
    if best == column or confidences[best] < max(0.5, own) or parent < 0:
        return None
    return models.keywords[best].path


def _memberships(
    lists: Sequence[Rows], honest: Honest
) -> Callable[[slice], np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    """A function from a slice of rows to the boolean matrix (rows, k) of who carries what, from sparse lists."""
    rows = np.concatenate([NO_ROWS, *lists])
    columns = np.repeat(np.arange(len(lists)), [len(rows) for rows in lists])
    order = np.argsort(rows, kind="stable")
    rows, columns = rows[order], columns[order]
    rows = np.searchsorted(honest.row_numbers, rows)
    starts = np.searchsorted(rows, np.arange(honest.photos + 1))

    def of(block: slice) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        out = np.zeros((block.stop - block.start, len(lists)), dtype=bool)
        low, high = starts[block.start], starts[block.stop]
        out[rows[low:high] - block.start, columns[low:high]] = True
        return out

    return of
