"""Keywords that are probably missing in a catalog, and keywords that are probably wrong, by leave-one-out confidence.

Every photo is judged by models that never saw it. Missing: a confident keyword the photo does not carry. Wrong: a
keyword that sits on the photo like one put on a photo drawn blindly (``doubts`` says how likely that is).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, Floats, KeywordExamples, LearningError, Rows
from keywright.learning.doubts import drawn_pairs, fit_doubts, telling
from keywright.learning.hierarchy import Columns
from keywright.learning.honest import Honest
from keywright.learning.models import ModelSet


class Doubt(StrEnum):
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    row: int
    keyword: KeywordPath
    doubt: Doubt
    confidence: float  # that the photo should carry the keyword, judged without this photo
    chance: float  # that the catalog is in error here, a calibrated probability
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
    lists = [NO_ROWS if e is None else np.searchsorted(honest.row_numbers, e.positives) for e in examples]
    ends = models.tree.ends
    wanted = [
        len(np.setdiff1d(rows, np.concatenate([NO_ROWS, *lists[column + 1 : ends[column]]])))
        if models.photos[column] >= 2
        else 0
        for column, rows in enumerate(lists)
    ]
    drawn_rows, drawn_columns = drawn_pairs(lists, wanted, honest.photos)
    before = np.log(odds_before)
    pairs: list[tuple[Rows, Rows, Rows, Floats]] = []  # photo, keyword, its sibling, what is known
    drawn: list[Floats] = []
    sure: list[Floats] = []
    for rows, confidences in honest.blocks():
        has, no = carried(rows), rejected(rows)
        lacking = (confidences >= bars) & ~has & ~no
        for i, column in zip(*np.nonzero(lacking), strict=True):
            if lacking[i, column + 1 : ends[column]].any():
                continue
            p = float(confidences[i, column])
            missing.append(
                Finding(int(honest.row_numbers[rows.start + int(i)]), models.keywords[column].path, Doubt.MISSING, p, p)
            )
        i, column = np.nonzero(has)
        lowest = models.photos[column] >= 2
        lowest &= ~_carries_below(has, ends)[i, column]
        i, column = i[lowest], column[lowest]
        known, sibling = telling(confidences, has, i, column, before, models.tree)
        own = confidences[i, column]
        better = (sibling >= 0) & (models.tree.parents[column] >= 0)
        better &= confidences[i, sibling] >= np.maximum(own, 0.5)
        pairs.append((i + rows.start, column, np.where(better, sibling, -1), known))
        sure.append(own)
        part = slice(*np.searchsorted(drawn_rows, [rows.start, rows.stop]))
        drawn.append(
            telling(confidences, has, drawn_rows[part] - rows.start, drawn_columns[part], before, models.tree)[0]
        )
    missing.sort(key=lambda f: (-f.chance, f.row))
    wrong = _wrong(models, honest, pairs, drawn, sure, limit)
    return (missing[:limit], wrong) if limit else (missing, wrong)


def _wrong(
    models: ModelSet,
    honest: Honest,
    pairs: Sequence[tuple[Rows, Rows, Rows, Floats]],
    drawn: Sequence[Floats],
    sure: Sequence[Floats],
    limit: int,
) -> list[Finding]:
    rows, columns, siblings, known = (np.concatenate(part) for part in zip(*pairs, strict=True))
    false = np.concatenate(drawn)
    if not len(rows) or not len(false):
        return []
    doubts = fit_doubts(known, false)
    scores = doubts.scores(known)
    chances, confidences = doubts.chances(scores), np.concatenate(sure)
    order = np.lexsort((columns, rows, -scores))
    return [
        Finding(
            int(honest.row_numbers[rows[n]]),
            models.keywords[columns[n]].path,
            Doubt.WRONG,
            float(confidences[n]),
            float(chances[n]),
            None if siblings[n] < 0 else models.keywords[siblings[n]].path,
        )
        for n in (order[:limit] if limit else order).tolist()
    ]


def _carries_below(
    carried: np.ndarray[tuple[int, int], np.dtype[np.bool_]], ends: Columns
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Shape (n, k): whether the photo carries a keyword below this one."""
    sums = np.zeros((len(carried), carried.shape[1] + 1), dtype=np.int32)
    np.cumsum(carried, axis=1, out=sums[:, 1:])
    found: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = sums[:, ends] > sums[:, 1:]
    return found


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
