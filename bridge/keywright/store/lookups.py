"""Finding single photos, their vectors and their decisions quickly: what a service asks again and again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BindParameter, Connection, Row, bindparam, select

from keywright.keywords import KeywordPath
from keywright.store.decisions import Decision, DecisionRow, decisions
from keywright.store.photos import PhotoRow, keywords, photo_keywords, photo_of, photos
from keywright.store.slices import slices
from keywright.store.vectors import HALF, vectors

# Made once: to put a statement together takes as long as to run it.
_SOME: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)
_PHOTOS = select(photos).where(photos.c.id.in_(_SOME), photos.c.gone.is_(False))
_CARRIED = select(photo_keywords.c.photo_id, photo_keywords.c.keyword_id).where(photo_keywords.c.photo_id.in_(_SOME))
_VECTORS = select(vectors.c.content_id, vectors.c.vector).where(
    vectors.c.encoder_id == bindparam("encoder"), vectors.c.content_id.in_(_SOME)
)
_DECIDED = select(decisions.c.photo_id, decisions.c.keyword_id).where(decisions.c.photo_id.in_(_SOME))


class Names:
    """Keyword ids to paths, kept over many readings; ids are never given twice, so only new ones are read.

    Safe for many threads.
    """

    def __init__(self) -> None:
        self._paths: dict[int, KeywordPath] = {}
        self._ids: dict[KeywordPath, int] = {}
        self._alike: dict[tuple[str, ...], list[int]] = {}
        self._newest = 0
        self._lock = threading.Lock()

    def refresh(self, connection: Connection) -> None:
        with self._lock:
            chosen = select(keywords.c.id, keywords.c.path).where(keywords.c.id > self._newest).order_by(keywords.c.id)
            for row in connection.execute(chosen):
                path = KeywordPath.parse(row.path)
                self._paths[int(row.id)] = path
                self._ids[path] = int(row.id)
                self._alike.setdefault(path.key, []).append(int(row.id))
                self._newest = int(row.id)

    def __getitem__(self, number: int) -> KeywordPath:
        return self._paths[number]

    def find(self, path: KeywordPath) -> int | None:
        return self._ids.get(path)

    def spellings(self, path: KeywordPath) -> list[int]:
        """The ids under which a keyword is known, the spelling asked for first."""
        exact = self._ids.get(path)
        return sorted(self._alike.get(path.key, ()), key=lambda number: (number != exact, number))

    def below(self, path: KeywordPath) -> list[int]:
        """The ids of a keyword in all its spellings, and of everything below it."""
        with self._lock:
            return [number for number, one in self._paths.items() if one.key[: len(path.key)] == path.key]


def photos_by_id(connection: Connection, ids: Sequence[int]) -> dict[int, PhotoRow]:
    """Those of these photos that there are."""
    found = {}
    for part in slices(ids):
        for row in connection.execute(_PHOTOS, {"ids": part}):
            found[int(row.id)] = photo_of(row)
    return found


class Picture(NamedTuple):
    """A photo by its picture alone. A tuple, because several hundred thousand are made in one go."""

    id: int
    content_id: str


def list_pictures(connection: Connection) -> list[Picture]:
    """All photos that have a picture and were not rejected, in the order of entry."""
    chosen = select(photos.c.id, photos.c.content_id).where(
        photos.c.gone.is_(False), photos.c.rejected.is_(False), photos.c.content_id.is_not(None)
    )
    return [Picture(*row) for row in connection.execute(chosen.order_by(photos.c.id))]


def photos_decided(connection: Connection, keyword_ids: Sequence[int]) -> set[int]:
    """The photos on which one of these keywords was decided."""
    found: set[int] = set()
    for part in slices(keyword_ids):
        found.update(connection.execute(select(decisions.c.photo_id).where(decisions.c.keyword_id.in_(part))).scalars())
    return found


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """A photo, and the ids of the keywords that it carries and that were decided on it."""

    row: PhotoRow
    carried: frozenset[int]
    decided: frozenset[int]


def facts_of(connection: Connection, ids: Sequence[int]) -> dict[int, PhotoFacts]:
    """Those of these photos that there are."""
    rows = photos_by_id(connection, ids)
    carried: dict[int, set[int]] = {number: set() for number in rows}
    decided: dict[int, set[int]] = {number: set() for number in rows}
    for part in slices(list(rows)):
        for found, chosen in ((carried, _CARRIED), (decided, _DECIDED)):
            for photo_id, keyword_id in connection.execute(chosen, {"ids": part}):
                found[photo_id].add(keyword_id)
    return {
        number: PhotoFacts(row, frozenset(carried[number]), frozenset(decided[number])) for number, row in rows.items()
    }


def taken_of(connection: Connection, ids: Sequence[int]) -> dict[int, datetime]:
    """When these photos were taken, as far as their catalogs know."""
    found = {}
    for part in slices(ids):
        chosen = select(photos.c.id, photos.c.taken).where(photos.c.id.in_(part), photos.c.taken.is_not(None))
        for row in connection.execute(chosen):
            found[int(row.id)] = datetime.fromisoformat(row.taken)
    return found


def photos_by_host(connection: Connection, catalog_id: int, host_ids: Sequence[str]) -> dict[str, PhotoRow]:
    found = {}
    for part in slices(host_ids):
        chosen = select(photos).where(
            photos.c.catalog_id == catalog_id, photos.c.host_id.in_(part), photos.c.gone.is_(False)
        )
        for row in connection.execute(chosen):
            found[row.host_id] = photo_of(row)
    return found


def vectors_of(connection: Connection, encoder_id: str, content_ids: Sequence[str]) -> dict[str, NDArray[np.float16]]:
    """The vectors of these pictures that there are, each float16 of shape (dimension,)."""
    found: dict[str, NDArray[np.float16]] = {}
    for part in slices(content_ids):
        for row in connection.execute(_VECTORS, {"encoder": encoder_id, "ids": part}):
            found[row.content_id] = np.frombuffer(row.vector, dtype=HALF)
    return found


def decisions_on(connection: Connection, photo_ids: Sequence[int]) -> dict[int, list[DecisionRow]]:
    found: dict[int, list[DecisionRow]] = {}
    for part in slices(photo_ids):
        for row in connection.execute(select(decisions).where(decisions.c.photo_id.in_(part))):
            found.setdefault(int(row.photo_id), []).append(_decision(row))
    return found


@dataclass(frozen=True, slots=True)
class DecisionPage:
    decisions: list[DecisionRow]
    next: int | None  # the photo after which the next page begins


def page_of_decisions(connection: Connection, decision: Decision | None, after: int, limit: int) -> DecisionPage:
    """Decisions in the order of photos; a photo's decisions are never parted, so a page may be somewhat longer."""
    chosen = (
        select(decisions).where(decisions.c.photo_id > after).order_by(decisions.c.photo_id, decisions.c.keyword_id)
    )
    if decision is not None:
        chosen = chosen.where(decisions.c.decision == decision.value)
    rows: list[DecisionRow] = []
    for row in connection.execute(chosen):
        if len(rows) >= limit and row.photo_id != rows[-1].photo_id:
            return DecisionPage(rows, rows[-1].photo_id)
        rows.append(_decision(row))
    return DecisionPage(rows, None)


def _decision(row: Row[Any]) -> DecisionRow:
    r = row._mapping
    return DecisionRow(
        int(r["photo_id"]), int(r["keyword_id"]), Decision(r["decision"]), r["confidence"], r["version_id"]
    )
