"""Keeping the journal: batches begun and closed, intents before their targets are touched, outcomes after."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from keywright.store.journal import (
    Batch,
    BatchKind,
    BatchState,
    BeforeForm,
    Entry,
    EntryState,
    Intent,
    Outcome,
    write_batches,
    write_entries,
    write_entry_photos,
)
from keywright.store.slices import slices


def open_batch(
    connection: Connection, batch_id: str, kind: BatchKind, *, label: str, asked: int, undoes: str | None = None
) -> Batch:
    """Begin a batch under this id, which nobody has used before."""
    number = 1 + int(connection.execute(select(func.coalesce(func.max(write_batches.c.number), 0))).scalar_one())
    batch = Batch(batch_id, number, kind, label, undoes, asked, BatchState.OPEN, "", _now(), None)
    connection.execute(
        insert(write_batches).values(
            id=batch.id,
            number=batch.number,
            kind=batch.kind.value,
            label=batch.label,
            undoes=batch.undoes,
            asked=batch.asked,
            state=batch.state.value,
            note=batch.note,
            begun_at=batch.begun_at,
        )
    )
    return batch


def close_batch(connection: Connection, batch_id: str, state: BatchState, note: str = "") -> None:
    connection.execute(
        update(write_batches)
        .where(write_batches.c.id == batch_id)
        .values(state=state.value, note=note, ended_at=_now())
    )


def add_intents(connection: Connection, batch_id: str, intents: Sequence[Intent]) -> list[Entry]:
    """Keep these intents; once the transaction is committed, their targets may be touched."""
    # Numbers are given here, not by the database, so that thousands of rows are one statement in every database.
    first = 1 + int(connection.execute(select(func.coalesce(func.max(write_entries.c.id), 0))).scalar_one())
    entries = [Entry(first + place, batch_id, EntryState.INTENDED, "", intent) for place, intent in enumerate(intents)]
    if not entries:
        return entries
    connection.execute(
        insert(write_entries),
        [
            {
                "id": entry.id,
                "batch_id": batch_id,
                "target": entry.intent.target,
                "address": entry.intent.address,
                "state": entry.state.value,
                "reason": "",
                "undoes": entry.intent.undoes,
                "creates": entry.intent.creates,
                "old_digest": entry.intent.old_digest,
                "new_digest": entry.intent.new_digest,
                "before_form": entry.intent.before.form.value,
                "before": entry.intent.before.data,
                "added": entry.intent.added,
                "details": json.dumps(
                    {"added": entry.intent.added_keywords, "removed": entry.intent.removed_keywords},
                    ensure_ascii=False,
                ),
                "leftover": entry.intent.leftover,
            }
            for entry in entries
        ],
    )
    connection.execute(
        insert(write_entry_photos),
        [
            {"entry_id": entry.id, "position": position, "photo": photo}
            for entry in entries
            for position, photo in enumerate(entry.intent.photos)
        ],
    )
    return entries


def settle(connection: Connection, outcomes: Iterable[Outcome]) -> None:
    """Note what became of entries; one that undid another marks that other one as undone."""
    known = list(outcomes)
    plain = [
        {"which": o.entry_id, "new_state": o.state.value, "new_reason": o.reason} for o in known if o.leftover is None
    ]
    full = [
        {"which": o.entry_id, "new_state": o.state.value, "new_reason": o.reason, "new_leftover": o.leftover}
        for o in known
        if o.leftover is not None
    ]
    statement = (
        update(write_entries)
        .where(write_entries.c.id == bindparam("which"))
        .values(state=bindparam("new_state"), reason=bindparam("new_reason"))
    )
    if plain:
        connection.execute(statement, plain)
    if full:
        connection.execute(statement.values(leftover=bindparam("new_leftover")), full)
    for ids in slices([o.entry_id for o in known if o.state is EntryState.WRITTEN]):
        undone = select(write_entries.c.undoes).where(write_entries.c.id.in_(ids), write_entries.c.undoes.is_not(None))
        connection.execute(
            update(write_entries)
            .where(write_entries.c.id.in_([row[0] for row in connection.execute(undone)]))
            .values(state=EntryState.UNDONE.value)
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def closed_before(connection: Connection, moment: str) -> list[str]:
    """The batches that ended before this moment (ISO 8601, UTC) and of which nothing waits to be looked at."""
    waits = select(write_entries.c.batch_id).where(
        (write_entries.c.state == EntryState.INTENDED.value) | (write_entries.c.leftover != "")
    )
    chosen = select(write_batches.c.id).where(
        write_batches.c.state != BatchState.OPEN.value,
        write_batches.c.ended_at.is_not(None),
        write_batches.c.ended_at < moment,
        write_batches.c.id.not_in(waits),
    )
    return list(connection.execute(chosen.order_by(write_batches.c.number)).scalars())


def forget_before_images(connection: Connection, batch_ids: Sequence[str]) -> tuple[list[str], int, int]:
    """Drop what was there before these batches wrote.

    Gives those of them of which something is still written, how many targets had an old content, and its bytes. What
    was added stays known, so that undo still takes exactly that out; it no longer gives back every byte.
    """
    touched: list[str] = []
    targets = freed = 0
    for ids in slices(list(batch_ids)):
        kept = (write_entries.c.batch_id.in_(ids)) & write_entries.c.before.is_not(None)
        size = func.coalesce(func.sum(func.length(write_entries.c.before)), 0)
        row = connection.execute(select(func.count(), size).where(kept)).one()
        targets, freed = targets + int(row[0]), freed + int(row[1])
        still = kept & (write_entries.c.state == EntryState.WRITTEN.value) & write_entries.c.undoes.is_(None)
        wrote = set(connection.execute(select(write_entries.c.batch_id).where(still).distinct()).scalars())
        touched += [batch for batch in ids if batch in wrote]
        connection.execute(update(write_entries).where(kept).values(before=None, before_form=BeforeForm.NOT_KEPT.value))
    return touched, targets, freed
