"""What a search reads: where photos lie and what is written of them, for all photos in one go."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from keywright.keywords import KeywordPath
from keywright.store.decisions import Decision, decisions
from keywright.store.photos import photo_keywords, photos
from keywright.store.slices import slices


class Place(NamedTuple):
    """A photo that may be found. A tuple, because several hundred thousand are made for one search."""

    id: int
    catalog_id: int
    path: str
    content_id: str | None


def list_places(connection: Connection) -> list[Place]:
    """All photos in the catalogs, in the order of entry."""
    columns = (photos.c.id, photos.c.catalog_id, photos.c.path, photos.c.content_id)
    chosen = select(*columns).where(photos.c.gone.is_(False)).order_by(photos.c.id)
    return [Place(*row) for row in connection.execute(chosen)]


def photos_with(connection: Connection, keyword_ids: Sequence[int]) -> dict[int, list[int]]:
    """The keywords of these that each photo carries itself, by photo."""
    found: dict[int, list[int]] = {}
    for part in slices(keyword_ids):
        chosen = select(photo_keywords.c.photo_id, photo_keywords.c.keyword_id)
        for photo, keyword in connection.execute(chosen.where(photo_keywords.c.keyword_id.in_(part))):
            found.setdefault(photo, []).append(keyword)
    return found


def photos_given(connection: Connection, paths: Mapping[int, KeywordPath]) -> dict[int, list[int]]:
    """Which of these keywords stand on each photo: those it carries itself, with what was accepted and is not written
    yet, and without what was refused, however that is spelled."""
    found = photos_with(connection, list(paths))
    for photo, keyword in _decided(connection, list(paths), Decision.ACCEPTED):
        mine = found.setdefault(photo, [])
        if keyword not in mine:
            mine.append(keyword)
    refused: dict[int, set[tuple[str, ...]]] = {}
    for photo, keyword in photos_refused(connection, paths):
        refused.setdefault(photo, set()).add(paths[keyword].key)
    for photo in refused.keys() & found.keys():
        found[photo] = [keyword for keyword in found[photo] if paths[keyword].key not in refused[photo]]
        if not found[photo]:
            del found[photo]
    return found


def photos_refused(connection: Connection, keyword_ids: Collection[int]) -> list[tuple[int, int]]:
    """(photo id, keyword id) of those of these keywords that a person refused."""
    return _decided(connection, list(keyword_ids), Decision.REJECTED)


def _decided(connection: Connection, keyword_ids: Sequence[int], decision: Decision) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for part in slices(keyword_ids):
        chosen = select(decisions.c.photo_id, decisions.c.keyword_id).where(
            decisions.c.keyword_id.in_(part), decisions.c.decision == decision.value
        )
        found += [(int(photo), int(keyword)) for photo, keyword in connection.execute(chosen)]
    return found
