"""Bringing a new reading of a catalog into the store: what is new, what changed, what is gone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from keywright.catalogs.base import CatalogPhoto
from keywright.store.photos import KeywordIds, blocks, catalogs, photo_keywords, photos
from keywright.store.slices import slices


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a new reading of a catalog brought."""

    photos: int = 0
    new: int = 0
    changed: int = 0  # other keywords, another path, rejected or not
    gone: int = 0


def sync_photos(
    connection: Connection, catalog_id: int, read: Iterable[CatalogPhoto], ids: KeywordIds, *, complete: bool = True
) -> SyncReport:
    """Bring in what was read: new photos, changed ones, and (``complete``) mark those that are gone.

    A photo that is gone is not forgotten: what a person decided about it still teaches, and a drive that was away
    for one reading must cost nothing. Works through the reading in blocks, so that a catalog of any size needs
    little memory.
    """
    report, kept = SyncReport(), set[int]()
    for block in blocks(read, 2000):
        report = _sync_block(connection, catalog_id, block, ids, report, kept)
    if complete:
        here = select(photos.c.id).where(photos.c.catalog_id == catalog_id, photos.c.gone.is_(False))
        gone = [number for number in connection.execute(here).scalars() if number not in kept]
        for part in slices(gone):
            connection.execute(update(photos).where(photos.c.id.in_(part)).values(gone=True))
        report = replace(report, gone=len(gone))
    connection.execute(
        update(catalogs)
        .where(catalogs.c.id == catalog_id)
        .values(read_at=datetime.now(UTC).isoformat(timespec="seconds"))
    )
    return report


def _sync_block(
    connection: Connection,
    catalog_id: int,
    block: Sequence[CatalogPhoto],
    ids: KeywordIds,
    report: SyncReport,
    kept: set[int],
) -> SyncReport:
    known = {}
    for hosts in slices([p.host_id for p in block]):
        chosen = select(photos).where(photos.c.catalog_id == catalog_id, photos.c.host_id.in_(hosts))
        known.update({row.host_id: row for row in connection.execute(chosen)})
    added, moved, relinked = [], [], []
    for photo in {p.host_id: p for p in block}.values():
        assigned = sorted(ids.id(path) for path in photo.keywords)
        values: dict[str, object] = {
            "path": str(photo.file),
            "copy_of": photo.copy_of,
            "rejected": photo.rejected,
            "is_video": photo.is_video,
            "taken": photo.taken.isoformat() if photo.taken else None,
            "gone": False,
            "links": hashlib.blake2b(repr(assigned).encode(), digest_size=8).hexdigest(),
        }
        row = known.get(photo.host_id)
        if row is None:
            added.append((values | {"catalog_id": catalog_id, "host_id": photo.host_id}, assigned))
            continue
        kept.add(int(row.id))
        if any(getattr(row, name) != value for name, value in values.items()):
            moved.append(values | {"photo": row.id})
        if row.links != values["links"]:
            relinked.append((int(row.id), assigned))
    if added:
        made = connection.execute(
            insert(photos).returning(photos.c.id, sort_by_parameter_order=True), [values for values, _ in added]
        ).scalars()
        for number, (_, assigned) in zip(made, added, strict=True):
            kept.add(int(number))
            relinked.append((int(number), assigned))
    if moved:
        connection.execute(
            update(photos).where(photos.c.id == bindparam("photo")).values({c: bindparam(c) for c in _MUTABLE}), moved
        )
    if relinked:
        for part in slices([number for number, _ in relinked]):
            connection.execute(delete(photo_keywords).where(photo_keywords.c.photo_id.in_(part)))
        links = [{"photo_id": number, "keyword_id": k} for number, assigned in relinked for k in assigned]
        if links:
            connection.execute(insert(photo_keywords), links)
    return SyncReport(
        photos=report.photos + len(block), new=report.new + len(added), changed=report.changed + len(moved)
    )


_MUTABLE = ("path", "copy_of", "rejected", "is_video", "taken", "links", "gone")


def take_keyword_off(connection: Connection, photo_id: int, keyword_id: int) -> None:
    """The photo's own program says that it does not carry the keyword any more; the next reading says what it does."""
    this = (photo_keywords.c.photo_id == photo_id) & (photo_keywords.c.keyword_id == keyword_id)
    if connection.execute(delete(photo_keywords).where(this)).rowcount:
        # No reading is like what is known now: its links are taken whole.
        connection.execute(update(photos).where(photos.c.id == photo_id).values(links=""))
