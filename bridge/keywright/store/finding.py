"""What a search reads: where photos lie and what is written of them, for all photos in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

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
