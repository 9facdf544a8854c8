"""Prime examples: photos of which a person said that they show a keyword as it is meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, ForeignKey, Index, Table, Text, delete, insert, select

from keywright.store.schema import METADATA
from keywright.store.slices import slices

primes = Table(
    "primes",
    METADATA,
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True),
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
    Column("marked_at", Text, nullable=False),
    Index("ix_primes_keyword_id", "keyword_id"),
)


def set_prime(connection: Connection, photo_id: int, keyword_id: int, on: bool) -> bool:
    """Whether that changed anything."""
    this = (primes.c.photo_id == photo_id) & (primes.c.keyword_id == keyword_id)
    known = connection.execute(select(primes.c.photo_id).where(this)).first() is not None
    if known and not on:
        connection.execute(delete(primes).where(this))
    elif on and not known:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        connection.execute(insert(primes).values(photo_id=photo_id, keyword_id=keyword_id, marked_at=now))
    return known is not on


def list_primes(connection: Connection, keyword_ids: Sequence[int] | None = None) -> list[tuple[int, int]]:
    """(photo id, keyword id) of these keywords (of all, for ``None``), in the order in which they were marked."""
    chosen = select(primes.c.photo_id, primes.c.keyword_id).order_by(primes.c.marked_at, primes.c.photo_id)
    if keyword_ids is not None:
        chosen = chosen.where(primes.c.keyword_id.in_(keyword_ids))
    return [(int(row.photo_id), int(row.keyword_id)) for row in connection.execute(chosen)]


def primes_on(connection: Connection, photo_ids: Sequence[int]) -> set[tuple[int, int]]:
    """(photo id, keyword id) of these photos."""
    found: set[tuple[int, int]] = set()
    for some in slices(photo_ids):
        chosen = select(primes.c.photo_id, primes.c.keyword_id)
        rows = connection.execute(chosen.where(primes.c.photo_id.in_(some)))
        found.update((int(row.photo_id), int(row.keyword_id)) for row in rows)
    return found
