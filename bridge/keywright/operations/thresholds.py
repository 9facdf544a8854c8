"""A keyword's threshold: the confidence from which it is suggested, learned or set by a person.

The models are those that suggest, loaded by who asks: a page asks for one preview after the other while a slider moves.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import isnan

import numpy as np

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.learning.base import Floats
from keywright.learning.counting import Counts, expected_at
from keywright.learning.models import ModelSet
from keywright.operations.active import Active
from keywright.operations.asking import find_keyword
from keywright.operations.progress import Progress, silent
from keywright.operations.workspace import Workspace
from keywright.store.finding import photos_with
from keywright.store.lookups import list_pictures, photos_by_id, photos_decided
from keywright.store.models import active_version, figures_of
from keywright.store.photos import KeywordIds, PhotoRow
from keywright.store.thresholds import keep_threshold, list_thresholds

_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class KeywordThreshold:
    """``learned`` gives the precision asked for in learning; ``own`` is what a person set in its place."""

    keyword: KeywordPath
    learned: float
    own: float | None
    photos: int  # the keyword was learned from
    precision: float | None  # expected of the threshold that holds, by leave-one-out; None where nobody can tell
    recall: float | None

    @property
    def holds(self) -> float:
        return self.learned if self.own is None else self.own


@dataclass(frozen=True, slots=True)
class Shown:
    photo: PhotoRow
    confidence: float


@dataclass(frozen=True, slots=True)
class ThresholdPreview:
    """What a keyword would be suggested on from a confidence on."""

    keyword: KeywordPath
    confidence: float
    photos: int  # that lack the keyword and would have it suggested; of the same picture one
    looked_at: int  # that lack the keyword and have a vector
    precision: float | None  # expected, by leave-one-out on the photos learned from; None where nobody can tell
    recall: float | None
    shown: tuple[Shown, ...]  # those nearest to the confidence first: where a person would look whether it is right


def keyword_threshold(workspace: Workspace, models: ModelSet, keyword: str) -> KeywordThreshold:
    """``keyword`` a path or the name at its end. Raises ``NotFoundError`` where it has no model."""
    path = find_keyword(models.paths, keyword)
    model = models.keywords[models.columns[path.key]]
    with workspace.store.read() as connection:
        own = list_thresholds(connection).get(path.key)
    learned = float(model.threshold if model.learned is None else model.learned)
    precision, recall = _expected(_counts(workspace), path, learned if own is None else own)
    return KeywordThreshold(path, learned, own, model.photos, precision, recall)


def set_threshold(workspace: Workspace, models: ModelSet, keyword: str, confidence: float | None) -> KeywordThreshold:
    """Suggest a keyword from this confidence on, whatever is learned; ``None`` lets the learned one hold again.

    A keyword with a threshold of its own is suggested however few photos it was learned from. Raises
    ``NotFoundError`` where it has no model, ``KeywrightError`` for what is no confidence.
    """
    if confidence is not None:
        _require_confidence(confidence)
    path = find_keyword(models.paths, keyword)
    with workspace.store.write() as connection:
        ids = KeywordIds(connection)
        spelled = [number for number, other in ids.paths().items() if other.key == path.key and other != path]
        keep_threshold(connection, [ids.id(path), *spelled], confidence)
    return keyword_threshold(workspace, models, str(path))


def preview_threshold(
    workspace: Workspace,
    models: ModelSet,
    keyword: str,
    confidence: float,
    *,
    limit: int = 20,
    progress: Progress = silent,
) -> ThresholdPreview:
    """What ``set_threshold`` would bring: how many and which photos the keyword would be suggested on.

    Looked at are all photos with a vector that do not carry the keyword and on which it was not decided. Raises
    ``NotFoundError`` where it has no model, ``KeywrightError`` for what is no confidence.
    """
    _require_confidence(confidence)
    path = find_keyword(models.paths, keyword)
    return _lacking(workspace, models, path, {}, progress).preview(workspace, confidence, limit)


class Previews:
    """The same for one who tries many thresholds: what was looked at of the last keyword is kept. Safe for many
    threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._turn = threading.Lock()
        self._of: tuple[object, KeywordPath] | None = None
        self._sure: dict[str, float] = {}
        self._generation: int | None = None
        self._lacking: _Lacking | None = None

    def preview(self, active: Active, keyword: str, confidence: float, *, limit: int = 20) -> ThresholdPreview:
        """As ``preview_threshold``."""
        _require_confidence(confidence)
        path = find_keyword(active.models.paths, keyword)
        with self._turn:
            generation = self._workspace.store.generation()
            if self._of != (active.mark.models, path):
                self._of, self._sure, self._lacking = (active.mark.models, path), {}, None
            if self._lacking is None or generation != self._generation:
                self._lacking = _lacking(self._workspace, active.models, path, self._sure, silent)
                self._generation = generation
            lacking = self._lacking
        return lacking.preview(self._workspace, confidence, limit)


@dataclass(frozen=True, eq=False, slots=True)
class _Lacking:
    """The photos that lack a keyword, one of each picture, and how sure the models are of it there, rising."""

    keyword: KeywordPath
    photo_ids: tuple[int, ...]
    confidences: Floats
    counts: Counts | None

    def preview(self, workspace: Workspace, confidence: float, limit: int) -> ThresholdPreview:
        first = int(np.searchsorted(self.confidences, confidence))
        nearest = range(first, min(first + limit, len(self.photo_ids)))
        with workspace.store.read() as connection:
            rows = photos_by_id(connection, [self.photo_ids[n] for n in nearest])
        precision, recall = _expected(self.counts, self.keyword, confidence)
        return ThresholdPreview(
            self.keyword,
            confidence,
            len(self.photo_ids) - first,
            len(self.photo_ids),
            precision,
            recall,
            tuple(
                Shown(rows[self.photo_ids[n]], float(self.confidences[n])) for n in nearest if self.photo_ids[n] in rows
            ),
        )


def _lacking(
    workspace: Workspace, models: ModelSet, path: KeywordPath, sure: dict[str, float], progress: Progress
) -> _Lacking:
    """``sure``: by content id how sure the models are, as far as that is known; the others are added to it."""
    with workspace.store.read() as connection:
        matrix = workspace.matrix(connection)
        pictures = [one for one in list_pictures(connection) if one.content_id in matrix.rows]
        names = KeywordIds(connection).paths()
        below = [number for number, other in names.items() if other.key[: len(path.key)] == path.key]
        out = photos_with(connection, below).keys() | photos_decided(connection, below)
    known = {one.content_id for one in pictures if one.id in out}
    asked = {one.content_id: one.id for one in reversed(pictures) if one.content_id not in known}
    contents = sorted(asked, key=matrix.rows.__getitem__)
    new = [content for content in contents if content not in sure]
    own = _with_what_decides(models, models.columns[path.key])
    place = own.columns[path.key]
    for start in range(0, len(new), _AT_ONCE):
        block = new[start : start + _AT_ONCE]
        vectors = matrix.matrix[[matrix.rows[one] for one in block]].astype(np.float32)
        sure.update(zip(block, own.confidences(vectors)[:, place].tolist(), strict=True))
        progress("Looking at photos", start + len(block), len(new))
    confidences = np.array([sure[content] for content in contents], dtype=np.float32)
    rising = np.argsort(confidences, kind="stable")
    return _Lacking(path, tuple(asked[contents[n]] for n in rising), confidences[rising], _counts(workspace))


def _require_confidence(confidence: float) -> None:
    if not 0 < confidence <= 1:
        raise KeywrightError(f"A threshold is a confidence above 0 and up to 1, not {confidence}.")


def _with_what_decides(models: ModelSet, column: int) -> ModelSet:
    """A keyword with all that its confidence hangs on: what lies below it, and the siblings these compete with."""
    columns = set(range(column, int(models.tree.ends[column])))
    for group in models.tree.exclusive:
        if not columns.isdisjoint(group.tolist()):
            columns.update(group.tolist())
    return models.part(sorted(columns))


def _counts(workspace: Workspace) -> Counts | None:
    """What was counted of the active version; of a reviewed one, of the training it was reviewed since."""
    with workspace.store.read() as connection:
        active = active_version(connection)
        content = None if active is None else figures_of(connection, active.trained)
    return None if content is None else Counts.from_bytes(content)


def _expected(counts: Counts | None, path: KeywordPath, confidence: float) -> tuple[float | None, float | None]:
    if counts is None:
        return None, None
    column = next((n for n, other in enumerate(counts.paths) if other.key == path.key), None)
    if column is None:
        return None, None
    precision, recall = expected_at(counts, column, confidence)
    return None if isnan(precision) else precision, None if isnan(recall) else recall
