"""What a person decided about suggestions, and what was written without asking one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Column, Connection, Float, ForeignKey, Index, Integer, Table, Text, delete, insert, select

from keywright.store.schema import METADATA


class Decision(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"


decisions = Table(
    "decisions",
    METADATA,
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True),
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
    Column("decision", Text, nullable=False),
    Column("confidence", Float),
    Column("version_id", Integer),  # the model version that suggested it
    Column("decided_at", Text, nullable=False),
    Index("ix_decisions_keyword_id", "keyword_id"),
)

written = Table(
    "written",
    METADATA,
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True),
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
    Column("batch_id", Text, nullable=False),
    Index("ix_written_batch_id", "batch_id"),
)
"""Keywords that Keywright wrote by their confidence alone. They are not learned from until a person accepts them:
otherwise the models would confirm themselves."""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    photo_id: int
    keyword_id: int
    decision: Decision
    confidence: float | None
    version_id: int | None


def record_decisions(connection: Connection, made: Iterable[DecisionRow]) -> None:
    """Keep these decisions; a later one on the same photo and keyword takes the place of the earlier."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    rows = [
        {
            "photo_id": d.photo_id,
            "keyword_id": d.keyword_id,
            "decision": d.decision.value,
            "confidence": d.confidence,
            "version_id": d.version_id,
            "decided_at": now,
        }
        for d in made
    ]
    for row in rows:
        connection.execute(
            delete(decisions).where(
                decisions.c.photo_id == row["photo_id"], decisions.c.keyword_id == row["keyword_id"]
            )
        )
    if rows:
        connection.execute(insert(decisions), rows)


def list_decisions(connection: Connection, decision: Decision | None = None) -> list[DecisionRow]:
    chosen = select(decisions).order_by(decisions.c.decided_at)
    if decision is not None:
        chosen = chosen.where(decisions.c.decision == decision.value)
    return [
        DecisionRow(int(r.photo_id), int(r.keyword_id), Decision(r.decision), r.confidence, r.version_id)
        for r in connection.execute(chosen)
    ]


def record_written(connection: Connection, batch_id: str, pairs: Sequence[tuple[int, int]]) -> None:
    """Note that this batch wrote these (photo id, keyword id) by confidence alone."""
    rows = [{"photo_id": photo, "keyword_id": keyword, "batch_id": batch_id} for photo, keyword in pairs]
    if rows:
        connection.execute(insert(written).prefix_with("OR REPLACE", dialect="sqlite"), rows)


def forget_written(connection: Connection, batch_id: str, photo_ids: Sequence[int]) -> None:
    """What this batch wrote on these photos has been taken out: should it come back, a person put it there."""
    for photo in photo_ids:
        connection.execute(delete(written).where(written.c.batch_id == batch_id, written.c.photo_id == photo))


def list_written(connection: Connection) -> set[tuple[int, int]]:
    rows = connection.execute(select(written.c.photo_id, written.c.keyword_id))
    return {(int(r.photo_id), int(r.keyword_id)) for r in rows}
