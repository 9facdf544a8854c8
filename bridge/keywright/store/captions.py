"""What people wrote about photos in their own words, kept for searching."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, Connection, ForeignKey, Table, delete, insert, select

from keywright.store.photos import photos
from keywright.store.schema import METADATA, AnyText
from keywright.store.slices import slices

captions = Table(
    "captions",
    METADATA,
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True),
    Column("text", AnyText, nullable=False),
)


def sync_captions(connection: Connection, catalog_id: int, read: Mapping[str, str], *, complete: bool = True) -> None:
    """Keep the captions that were read, by the photos' ids in their catalog; ``complete``: and no others of it."""
    chosen = select(photos.c.id, photos.c.host_id, captions.c.text).where(photos.c.catalog_id == catalog_id)
    new, old = [], []
    for row in connection.execute(chosen.join(captions, captions.c.photo_id == photos.c.id, isouter=True)):
        text = read.get(row.host_id, "" if complete else row.text or "")
        if text == (row.text or ""):
            continue
        if row.text is not None:
            old.append(row.id)
        if text:
            new.append({"photo_id": row.id, "text": text})
    for some in slices(old):
        connection.execute(delete(captions).where(captions.c.photo_id.in_(some)))
    if new:
        connection.execute(insert(captions), new)


def list_captions(connection: Connection) -> dict[int, str]:
    """All captions, by photo."""
    return {int(row.photo_id): row.text for row in connection.execute(select(captions))}
