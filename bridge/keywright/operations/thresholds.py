"""A keyword's threshold: the confidence from which it is suggested, learned or set by a person."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.learning.counting import Counts, expected_at
from keywright.learning.models import ModelSet
from keywright.operations.asking import find_keyword
from keywright.operations.learning import load_models
from keywright.operations.progress import Progress, silent
from keywright.operations.workspace import Workspace
from keywright.store.decisions import list_decisions
from keywright.store.models import active_version, figures_of, version_content
from keywright.store.photos import KeywordIds, PhotoRow, keywords_of, list_photos
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


def keyword_threshold(workspace: Workspace, keyword: str) -> KeywordThreshold:
    """``keyword`` a path or the name at its end. Raises ``NotFoundError`` where it has no model."""
    models, version = load_models(workspace)
    path = find_keyword(models.paths, keyword)
    with workspace.store.read() as connection:
        own = list_thresholds(connection).get(path.key)
        learned = ModelSet.from_parts(version_content(connection, version)) if own is not None else models
        content = figures_of(connection, _counted(workspace, version))
    model = learned.keywords[learned.columns[path.key]]
    holds = float(model.threshold) if own is None else own
    precision, recall = _expected(content, path, holds)
    return KeywordThreshold(path, float(model.threshold), own, model.photos, precision, recall)


def set_threshold(workspace: Workspace, keyword: str, confidence: float | None) -> KeywordThreshold:
    """Suggest a keyword from this confidence on, whatever is learned; ``None`` lets the learned one hold again.

    A keyword with a threshold of its own is suggested however few photos it was learned from. Raises
    ``NotFoundError`` where it has no model, ``KeywrightError`` for what is no confidence.
    """
    if confidence is not None and not 0 < confidence <= 1:
        raise KeywrightError(f"A threshold is a confidence above 0 and up to 1, not {confidence}.")
    models, _ = load_models(workspace)
    path = find_keyword(models.paths, keyword)
    with workspace.store.write() as connection:
        ids = KeywordIds(connection)
        spelled = [number for number, other in ids.paths().items() if other.key == path.key and other != path]
        keep_threshold(connection, [ids.id(path), *spelled], confidence)
    return keyword_threshold(workspace, str(path))


def preview_threshold(
    workspace: Workspace, keyword: str, confidence: float, *, limit: int = 20, progress: Progress = silent
) -> ThresholdPreview:
    """What ``set_threshold`` would bring: how many and which photos the keyword would be suggested on.

    Looked at are all photos with a vector that do not carry the keyword and on which it was not decided. Raises
    ``NotFoundError`` where it has no model, ``KeywrightError`` for what is no confidence.
    """
    if not 0 < confidence <= 1:
        raise KeywrightError(f"A threshold is a confidence above 0 and up to 1, not {confidence}.")
    models, version = load_models(workspace)
    path = find_keyword(models.paths, keyword)
    column = models.columns[path.key]
    own = _with_what_decides(models, column)
    place = own.columns[path.key]
    with workspace.store.read() as connection:
        matrix = workspace.matrix(connection)
        rows = [row for row in list_photos(connection) if row.content_id in matrix.rows and not row.rejected]
        below = {
            number for number, other in KeywordIds(connection).paths().items() if other.key[: len(path.key)] == path.key
        }
        carried = keywords_of(connection, [row.id for row in rows])
        answered = {d.photo_id for d in list_decisions(connection) if d.keyword_id in below}
        content = figures_of(connection, _counted(workspace, version))
    known = {r.content_id for r in rows if r.id in answered or not below.isdisjoint(carried.get(r.id, ()))}
    asked = {row.content_id or "": row for row in reversed(rows) if row.content_id not in known}
    contents = sorted(asked, key=matrix.rows.__getitem__)
    confidences = np.empty(len(contents), dtype=np.float32)
    for start in range(0, len(contents), _AT_ONCE):
        block = contents[start : start + _AT_ONCE]
        vectors = matrix.matrix[[matrix.rows[one] for one in block]].astype(np.float32)
        confidences[start : start + len(block)] = own.confidences(vectors)[:, place]
        progress("Looking at photos", start + len(block), len(contents))
    over = np.flatnonzero(confidences >= confidence)
    nearest = over[np.argsort(confidences[over], kind="stable")][:limit]
    precision, recall = _expected(content, path, confidence)
    return ThresholdPreview(
        path,
        confidence,
        len(over),
        len(contents),
        precision,
        recall,
        tuple(Shown(asked[contents[int(i)]], float(confidences[i])) for i in nearest),
    )


def _with_what_decides(models: ModelSet, column: int) -> ModelSet:
    """A keyword with all that its confidence hangs on: what lies below it, and the siblings these compete with."""
    columns = set(range(column, int(models.tree.ends[column])))
    for group in models.tree.exclusive:
        if not columns.isdisjoint(group.tolist()):
            columns.update(group.tolist())
    return models.part(sorted(columns))


def _counted(workspace: Workspace, version: int) -> int:
    """The version whose figures stand for this one: of a reviewed version those it was reviewed from."""
    with workspace.store.read() as connection:
        active = active_version(connection)
    return version if active is None else active.trained


def _expected(content: bytes | None, path: KeywordPath, confidence: float) -> tuple[float | None, float | None]:
    if content is None:
        return None, None
    counts = Counts.from_bytes(content)
    column = next((n for n, other in enumerate(counts.paths) if other.key == path.key), None)
    if column is None:
        return None, None
    precision, recall = expected_at(counts, column, confidence)
    return None if isnan(precision) else precision, None if isnan(recall) else recall
