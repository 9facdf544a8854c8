"""Thresholds that a person set for a keyword, in the place of the learned one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Float, ForeignKey, Table, Text, delete, insert, select

from keywright.keywords import KeywordPath
from keywright.store.photos import keywords
from keywright.store.schema import METADATA

keyword_thresholds = Table(
    "keyword_thresholds",
    METADATA,
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
    Column("confidence", Float, nullable=False),
    Column("set_at", Text, nullable=False),
)


def keep_threshold(connection: Connection, keyword_ids: Sequence[int], confidence: float | None) -> None:
    """Set it for one keyword, given by all its spellings, the first of which is kept; ``None`` clears it."""
    connection.execute(delete(keyword_thresholds).where(keyword_thresholds.c.keyword_id.in_(keyword_ids)))
    if confidence is not None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        values = {"keyword_id": keyword_ids[0], "confidence": confidence, "set_at": now}
        connection.execute(insert(keyword_thresholds).values(values))


def list_thresholds(connection: Connection) -> dict[tuple[str, ...], float]:
    """By ``KeywordPath.key``."""
    chosen = select(keywords.c.path, keyword_thresholds.c.confidence).join(
        keywords, keywords.c.id == keyword_thresholds.c.keyword_id
    )
    return {KeywordPath.parse(row.path).key: float(row.confidence) for row in connection.execute(chosen)}


def thresholds_mark(connection: Connection) -> str:
    """Another text whenever a threshold was set or cleared."""
    chosen = select(keyword_thresholds.c.keyword_id, keyword_thresholds.c.confidence)
    rows = sorted(tuple(row) for row in connection.execute(chosen))
    return hashlib.blake2b(repr(rows).encode(), digest_size=8).hexdigest()
