"""Selections: exactly the photos that somebody chose in another program, to be reviewed in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, ForeignKey, Integer, Table, Text, delete, insert, select

from keywright.store.schema import METADATA

KEPT = 100
"""Older selections are forgotten."""

selections = Table(
    "selections",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("made_at", Text, nullable=False),
    sqlite_autoincrement=True,
)

selection_photos = Table(
    "selection_photos",
    METADATA,
    Column("selection_id", ForeignKey("selections.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), nullable=False, index=True),
)


def add_selection(connection: Connection, photo_ids: Sequence[int]) -> int:
    """Keep these photos in this order; gives the selection's number."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    number = int(connection.execute(insert(selections).values(made_at=now).returning(selections.c.id)).scalar_one())
    rows = [{"selection_id": number, "place": n, "photo_id": p} for n, p in enumerate(dict.fromkeys(photo_ids))]
    if rows:
        connection.execute(insert(selection_photos), rows)
    connection.execute(delete(selections).where(selections.c.id <= number - KEPT))
    return number


def has_selection(connection: Connection, number: int) -> bool:
    return connection.execute(select(selections.c.id).where(selections.c.id == number)).first() is not None
