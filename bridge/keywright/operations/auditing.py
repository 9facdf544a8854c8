"""Audit: keywords that are probably missing or wrong in a catalog, each with the photos that speak for it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keywright.catalogs.base import RootMapping
from keywright.errors import KeywrightError, reason
from keywright.keywords import KeywordPath
from keywright.learning.audit import Doubt, audit
from keywright.learning.audit import Finding as Doubted
from keywright.learning.base import KeywordExamples, Rows
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.operations.embedding import embed_photos
from keywright.operations.gathering import Gathered, gather
from keywright.operations.naming import with_names
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.reading import read_source
from keywright.operations.suggesting import Because
from keywright.operations.workspace import Workspace
from keywright.store.photos import KeywordIds, PhotoRow, keywords_of, list_catalogs, list_photos

LEAST_CHANCE = 0.1
"""From so likely wrong on, a keyword that a photo carries is listed: of ten at this chance one is wrong."""
REASONS = 3
_MOST_COMPARED = 2000
"""Of more photos than that, every so-many-th is compared for the reasons."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One keyword that is probably missing on a photo, or wrong there.

    ``because``: photos that look like this one and (missing) carry the keyword or (wrong) do not, nearest first.
    """

    doubt: Doubt
    path: Path
    keyword: KeywordPath
    chance: float  # that the catalog is in error here
    confidence: float  # that the photo should carry the keyword, judged without this photo
    instead: KeywordPath | None  # wrong: a sibling the photo is taken for, where one is likely
    because: tuple[Because, ...]
    others: tuple[Path, ...]  # copies with the same picture that it concerns too
    photo_ids: tuple[int, ...]  # all it concerns: virtual copies share a path


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Most certain first."""

    photos: int  # keyworded photos of the source that were judged, each by models that never saw it
    keywords: int  # that have a model
    missing: tuple[Finding, ...]
    wrong: tuple[Finding, ...]
    more_missing: int  # found beyond the limit
    more_wrong: int
    without_keywords: int  # photos of the source that carry none: suggestions are for them, not the audit


def audit_source(
    workspace: Workspace,
    source: str,
    mappings: Sequence[RootMapping] = (),
    *,
    limit: int = 50,
    min_confidence: float | None = None,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> AuditReport:
    """Judge every keyworded photo of a source by models learned without it; changes nothing.

    A source that was learned is judged by what all learned catalogs say together, another one by itself. At most
    ``limit`` findings of either kind (0: all). What is missing must reach its keyword's own threshold, or
    ``min_confidence``. Originals may be away: stored vectors are enough. Raises ``KeywrightError`` where the source
    cannot be read or none of its photos has a keyword and a vector.
    """
    one = read_source(workspace, source, mappings, learn=False, progress=progress)
    with workspace.store.read() as connection:
        rows = list_photos(connection, [one.catalog_id])
    embed_photos(workspace, rows, progress, cancel)
    with workspace.store.read() as connection:
        rows = [row for row in list_photos(connection, [one.catalog_id]) if not row.rejected]
        learned = any(c.learned for c in list_catalogs(connection) if c.id == one.catalog_id)
        gathered = gather(workspace, connection, catalog_id=None if learned else one.catalog_id)
        names = KeywordIds(connection).paths()
        carried = keywords_of(connection, [row.id for row in rows])
    mine: dict[str, list[PhotoRow]] = {}
    for row in rows:
        if row.content_id:
            mine.setdefault(row.content_id, []).append(row)
    judged = np.array([content in mine for content in gathered.content_ids], dtype=np.bool_)
    if not judged.any():
        raise KeywrightError(
            f"There is nothing to audit in {source}: no photo of it that can be read carries a keyword; "
            "`keywright suggest` finds keywords for photos that have none."
        )
    progress("Learning keywords", 0, 1)
    data = with_names(workspace, gathered.data)
    result = train(data, LearnerSettings())
    assert result.honest is not None, "a training without a previous one is never left out"
    progress("Learning keywords", 1, 1)
    found = audit(result.models, result.honest, data.keywords, limit=0, min_confidence=min_confidence)
    missing, wrong = ([one for one in part if judged[one.row]] for part in found)
    missing = _without_parents_of_rejected(missing, data.keywords)
    wrong = [one for one in wrong if one.chance >= LEAST_CHANCE]
    telling = _Telling(gathered, mine, {n: frozenset(names[k] for k in ks) for n, ks in carried.items()})
    return AuditReport(
        int(judged.sum()),
        len(result.models.keywords),
        tuple(telling.finding(one) for one in missing[: limit or None]),
        tuple(telling.finding(one) for one in wrong[: limit or None]),
        len(missing) - len(missing[: limit or None]),
        len(wrong) - len(wrong[: limit or None]),
        sum(row.id not in carried for row in rows),
    )


def _without_parents_of_rejected(missing: Sequence[Doubted], keywords: Sequence[KeywordExamples]) -> list[Doubted]:
    """A parent is as likely as the child a person rejected: it is not brought up in the child's stead."""
    refused: dict[int, list[KeywordPath]] = {}
    for keyword in keywords:
        for row in keyword.rejections:
            refused.setdefault(int(row), []).append(keyword.path)
    return [one for one in missing if not any(_within(path, one.keyword) for path in refused.get(one.row, ()))]


class _Telling:
    """From rows of the training data to photos, and to the photos that speak for a finding."""

    def __init__(
        self, gathered: Gathered, mine: Mapping[str, Sequence[PhotoRow]], carried: Mapping[int, frozenset[KeywordPath]]
    ) -> None:
        self._gathered = gathered
        self._mine = mine
        self._carried = carried
        self._examples: dict[tuple[str, ...], KeywordExamples] = {k.path.key: k for k in gathered.data.keywords}

    def finding(self, one: Doubted) -> Finding:
        photos = list(self._mine[self._gathered.content_ids[one.row]])
        if one.doubt is Doubt.WRONG:
            # Of a picture that is there twice only one may carry it; where it was accepted but not written, none does.
            photos = [p for p in photos if any(_within(k, one.keyword) for k in self._carried.get(p.id, ()))] or photos
        paths = list(dict.fromkeys(photo.path for photo in photos))
        return Finding(
            one.doubt,
            paths[0],
            one.keyword,
            one.chance,
            one.confidence,
            one.instead,
            self._because(one),
            tuple(paths[1:]),
            tuple(photo.id for photo in photos),
        )

    def _because(self, one: Doubted) -> tuple[Because, ...]:
        rows = self._examples[one.keyword.key].positives
        if one.doubt is Doubt.WRONG:
            rows = np.setdiff1d(np.arange(len(self._gathered.content_ids)), rows)
        nearest = _nearest(self._gathered.data.vectors, one.row, rows[rows != one.row])
        return tuple(Because(self._gathered.paths[row], likeness) for row, likeness in nearest)


def _within(path: KeywordPath, keyword: KeywordPath) -> bool:
    return path.key[: len(keyword.key)] == keyword.key


def _nearest(vectors: NDArray[np.float16] | NDArray[np.float32], row: int, among: Rows) -> list[tuple[int, float]]:
    among = among[:: -(-len(among) // _MOST_COMPARED)] if len(among) > _MOST_COMPARED else among
    likeness = vectors[among].astype(np.float32) @ vectors[row].astype(np.float32)
    return [(int(among[i]), float(likeness[i])) for i in np.argsort(-likeness, kind="stable")[:REASONS]]


COLUMNS = ("doubt", "path", "keyword", "instead", "chance", "confidence", "because", "others")


def write_csv(report: AuditReport, file: Path) -> None:
    """A table that spreadsheets open; lists are joined with ``;``. Raises ``KeywrightError`` where it cannot be."""
    try:
        with file.open("w", newline="", encoding="utf-8-sig", errors="backslashreplace") as opened:
            writer = csv.writer(opened)
            writer.writerow(COLUMNS)
            for one in (*report.missing, *report.wrong):
                writer.writerow(
                    (
                        one.doubt.value,
                        one.path,
                        one.keyword,
                        one.instead or "",
                        f"{one.chance:.4f}",
                        f"{one.confidence:.4f}",
                        ";".join(str(b.path) for b in one.because),
                        ";".join(str(path) for path in one.others),
                    )
                )
    except OSError as error:
        raise KeywrightError(f"The table cannot be written to {file}: {reason(error)}.") from error
