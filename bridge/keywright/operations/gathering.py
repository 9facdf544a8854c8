"""From the store to what is learned from: vectors, and for each keyword the rows that carry it or were refused it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import ColumnElement, Connection, select

from keywright.keywords import KeywordPath
from keywright.learning.base import KeywordExamples, Rows, TrainingData
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision, list_decisions, list_written
from keywright.store.photos import KeywordIds, catalogs, list_keywords, photo_keywords, photos
from keywright.store.primes import list_primes


@dataclass(frozen=True, slots=True)
class Gathered:
    """Training data and, for each of its rows, the picture it is."""

    data: TrainingData
    content_ids: Sequence[str]
    paths: Sequence[Path]  # one photo's path for each row, to show as a reason


@dataclass(frozen=True, slots=True)
class _Said:
    """What persons said, by keyword id: the pictures that carry it, that were refused it, its prime examples. And a
    photo's path for each picture."""

    carried: Mapping[int, set[str]]
    refused: Mapping[int, set[str]]
    primes: Mapping[int, set[str]]
    shown: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class _Named:
    """The pictures of each keyword by its path, parents too."""

    positives: Mapping[KeywordPath, set[str]]
    rejections: Mapping[KeywordPath, set[str]]
    primes: Mapping[KeywordPath, set[str]]

    def taking_part(self) -> set[str]:
        """The pictures something was said of; none where no keyword is carried anywhere."""
        return set[str]().union(*self.positives.values(), *self.rejections.values()) if self.positives else set()


class Spelling:
    """The one keyword path for each keyword, where catalogs spell it differently: the most used spelling.

    Two spellings are one keyword when their case-folded names are equal (``KeywordPath.key``).
    """

    def __init__(self, used: Mapping[KeywordPath, int]) -> None:
        self._best: dict[tuple[str, ...], KeywordPath] = {}
        weight: Counter[KeywordPath] = Counter()
        for path, count in used.items():
            weight[path] += count
            for above in path.ancestors():
                weight[above] += count
        for path in sorted(weight, key=lambda p: (-weight[p], p)):
            self._best.setdefault(path.key, path)

    def of(self, path: KeywordPath) -> KeywordPath:
        return self._best.get(path.key, path)


def gather(
    workspace: Workspace,
    connection: Connection,
    *,
    only: Sequence[str] | None = None,
    catalog_id: int | None = None,
) -> Gathered:
    """The training data of all catalogs learned from, or of one catalog.

    A photo takes part once a person has said anything about it: it carries a keyword, or a suggestion on it was
    decided. Photos that nobody has keyworded yet say nothing. Rejected photos take no part, keywords written by their
    confidence alone do not either. Photos of the same content (virtual copies, copies in two catalogs) are one row
    that carries the keywords of all. ``only`` limits the rows to these content ids.
    """
    source = catalogs.c.learned if catalog_id is None else catalogs.c.id == catalog_id
    matrix = workspace.matrix(connection)
    allowed = matrix.rows if only is None else {c: matrix.rows[c] for c in only if c in matrix.rows}
    said = _said(connection, source, allowed)
    names = KeywordIds(connection).paths()
    spelling = Spelling({names[k]: len(found) for k, found in said.carried.items()})
    named = _named(said, names, spelling)
    rows = sorted(allowed[content] for content in named.taking_part())
    content_ids = [matrix.content_ids[row] for row in rows]
    synonyms = {spelling.of(k.path): k.synonyms for k in list_keywords(connection)}
    chosen = np.array(rows, dtype=np.int64)
    data = TrainingData(
        workspace.encoder_id, matrix.matrix[chosen], matrix.norms[chosen], _examples(named, content_ids, synonyms)
    )
    return Gathered(data, content_ids, [said.shown[content] for content in content_ids])


def _said(connection: Connection, source: ColumnElement[bool], allowed: Container[str]) -> _Said:
    """What was said of these pictures, read from the catalogs of ``source``."""
    alone = list_written(connection)
    accepted = list_decisions(connection, Decision.ACCEPTED)
    alone -= {(d.photo_id, d.keyword_id) for d in accepted}

    carried: dict[int, set[str]] = defaultdict(set)
    shown: dict[str, Path] = {}
    told: dict[int, str] = {}
    known = (
        select(photos.c.id, photos.c.content_id, photos.c.path)
        .join(catalogs, catalogs.c.id == photos.c.catalog_id)
        .where(source, photos.c.rejected.is_(False), photos.c.content_id.is_not(None))
        .order_by(photos.c.id)
    )
    for row in connection.execute(known):
        if row.content_id in allowed:
            told[int(row.id)] = row.content_id
            shown.setdefault(row.content_id, Path(row.path))
    linked = (
        select(photo_keywords.c.photo_id, photo_keywords.c.keyword_id)
        .join(photos, photos.c.id == photo_keywords.c.photo_id)
        .join(catalogs, catalogs.c.id == photos.c.catalog_id)
        .where(source, photos.c.rejected.is_(False), photos.c.gone.is_(False))
    )
    for photo_id, keyword_id in connection.execute(linked):
        if photo_id in told and (photo_id, keyword_id) not in alone:
            carried[keyword_id].add(told[photo_id])
    refused: dict[int, set[str]] = defaultdict(set)
    marked: dict[int, set[str]] = defaultdict(set)
    decided = _decided_contents(connection)
    for decision in list_decisions(connection):
        content, file = decided.get(decision.photo_id, (None, Path()))
        if content is None or content not in allowed:
            continue
        shown.setdefault(content, file)
        target = carried if decision.decision is Decision.ACCEPTED else refused
        target[decision.keyword_id].add(content)
    for photo_id, keyword_id in list_primes(connection):
        content = told.get(photo_id) or decided.get(photo_id, (None, Path()))[0]
        if content in allowed:
            marked[keyword_id].add(content or "")
    return _Said(carried, refused, marked, shown)


def _named(said: _Said, names: Mapping[int, KeywordPath], spelling: Spelling) -> _Named:
    """The same by keyword path: whatever carries a keyword carries those above it, and spellings are one."""
    positives: dict[KeywordPath, set[str]] = defaultdict(set)
    rejections: dict[KeywordPath, set[str]] = defaultdict(set)
    primes: dict[KeywordPath, set[str]] = defaultdict(set)
    for keyword_id, contents in said.carried.items():
        path = spelling.of(names[keyword_id])
        for one in (path, *path.ancestors()):
            positives[spelling.of(one)] |= contents
    for keyword_id, contents in said.refused.items():
        rejections[spelling.of(names[keyword_id])] |= contents
    for keyword_id, contents in said.primes.items():
        path = spelling.of(names[keyword_id])
        primes[path] |= contents & positives.get(path, set())
    return _Named(positives, rejections, primes)


def _examples(
    named: _Named, content_ids: Sequence[str], synonyms: Mapping[KeywordPath, tuple[str, ...]]
) -> list[KeywordExamples]:
    """For each keyword its rows; ``content_ids`` has the picture of each row."""
    place = {content: row for row, content in enumerate(content_ids)}

    def rows(of: Mapping[KeywordPath, set[str]], path: KeywordPath) -> Rows:
        return np.array(sorted(place[content] for content in of.get(path, ())), dtype=np.int64)

    return [
        KeywordExamples(
            path,
            rows(named.positives, path),
            rows(named.rejections, path),
            rows(named.primes, path),
            synonyms.get(path, ()),
        )
        for path in sorted(named.positives, key=lambda p: p.key)
    ]


def _decided_contents(connection: Connection) -> dict[int, tuple[str, Path]]:
    """Content ids and paths of all photos with a decision, also of those that are gone: what was decided still
    teaches."""
    from keywright.store.decisions import decisions

    chosen = select(photos.c.id, photos.c.content_id, photos.c.path).where(
        photos.c.id.in_(select(decisions.c.photo_id)), photos.c.content_id.is_not(None)
    )
    return {int(row.id): (row.content_id, Path(row.path)) for row in connection.execute(chosen)}
