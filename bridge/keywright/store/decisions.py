"""What a person decided about suggestions, and what was written without asking one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from keywright.store.schema import METADATA
from keywright.store.slices import slices


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

waiting = Table(
    "waiting",
    METADATA,
    Column("place", Integer, primary_key=True),  # the order they were said in; never given twice
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), nullable=False),
    Column("keyword_id", ForeignKey("keywords.id"), nullable=False),
    Column("decided", Text),  # what had been decided before
    Column("prime", Boolean, nullable=False),  # whether it was a prime example before
    UniqueConstraint("photo_id", "keyword_id"),
    sqlite_autoincrement=True,
)
"""What a person said of a keyword on a photo that the active models have not learned yet, and what they know of it."""


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
    if rows:
        forget_decisions(connection, [(d["photo_id"], d["keyword_id"]) for d in rows])
        connection.execute(insert(decisions), rows)


def forget_decisions(connection: Connection, pairs: Sequence[tuple[Any, Any]]) -> None:
    """Nothing is decided any more of these (photo id, keyword id)."""
    this = (decisions.c.photo_id == bindparam("photo")) & (decisions.c.keyword_id == bindparam("keyword"))
    if pairs:
        gone = [{"photo": photo, "keyword": keyword} for photo, keyword in pairs]
        connection.execute(delete(decisions).where(this), gone)


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


@dataclass(frozen=True, slots=True)
class Waiting:
    """A photo and keyword of which the models know something older: ``decided`` and ``prime`` as they were."""

    photo_id: int
    keyword_id: int
    place: int
    decided: Decision | None
    prime: bool


def record_waiting(connection: Connection, pairs: Iterable[tuple[int, int, Decision | None, bool]]) -> None:
    """Note (photo id, keyword id, decision, prime) as they are just before they change; what waits already stays."""
    new = {(photo, keyword): (decided, prime) for photo, keyword, decided, prime in pairs}
    photo_ids = sorted({photo for photo, _ in new})
    known = {}
    for some in slices(photo_ids):
        chosen = select(waiting).where(waiting.c.photo_id.in_(some))
        for row in connection.execute(chosen):
            pair = (int(row.photo_id), int(row.keyword_id))
            if pair in new:
                known[pair] = int(row.place)
                new[pair] = (None if row.decided is None else Decision(row.decided), bool(row.prime))
    if known:
        gone = [{"gone": place} for place in known.values()]
        connection.execute(delete(waiting).where(waiting.c.place == bindparam("gone")), gone)
    if new:
        connection.execute(
            insert(waiting),
            [
                {"photo_id": photo, "keyword_id": keyword, "prime": prime, "decided": decided and decided.value}
                for (photo, keyword), (decided, prime) in new.items()
            ],
        )


def list_waiting(connection: Connection, limit: int | None = None) -> list[Waiting]:
    """In the order they were said."""
    chosen = select(waiting).order_by(waiting.c.place)
    return [
        Waiting(
            int(r.photo_id),
            int(r.keyword_id),
            int(r.place),
            None if r.decided is None else Decision(r.decided),
            bool(r.prime),
        )
        for r in connection.execute(chosen if limit is None else chosen.limit(limit))
    ]


def count_waiting(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(waiting)).scalar_one())


def forget_waiting(connection: Connection, learned: Sequence[Waiting]) -> None:
    """These have been learned; what was said again meanwhile has another place and stays."""
    for one in learned:
        connection.execute(delete(waiting).where(waiting.c.place == one.place))
