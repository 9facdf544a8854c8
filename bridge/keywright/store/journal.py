"""The journal of write-backs: what was there before each target was touched, and what became of it.

Only rows are found here (``intents`` keeps them). What a row means for a file or for another program's database is
decided in ``keywright.writeback``. The order of states, and what each promises, is in ``docs/writeback.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    func,
    select,
)

from keywright.store.schema import METADATA, AnyText
from keywright.store.slices import slices


class BatchKind(StrEnum):
    APPLY = "apply"
    UNDO = "undo"


class BatchState(StrEnum):
    OPEN = "open"  # being carried out; found at a start, its process was killed
    FINISHED = "finished"
    STOPPED = "stopped"  # ended early on purpose: cancelled, or the disk is full
    INTERRUPTED = "interrupted"  # its process was killed; every target has been looked at since


class EntryState(StrEnum):
    INTENDED = "intended"  # the target is old or new: nobody has looked since
    WRITTEN = "written"  # the target became new
    LEFT = "left"  # the target is old: not written, for the reason given
    UNDONE = "undone"  # was written, and what was written has been taken out again


class BeforeForm(StrEnum):
    """How ``Entry.before`` gives back what was there."""

    ABSENT = "absent"  # nothing was there
    WHOLE = "whole"  # all of it, compressed
    DELTA = "delta"  # what to change in the new content to get the old
    NOT_KEPT = "not kept"  # too large; only ``added`` tells what to take out


write_batches = Table(
    "write_batches",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),  # the order they were begun in
    Column("kind", Text, nullable=False),
    Column("label", AnyText, nullable=False),
    Column("undoes", ForeignKey("write_batches.id")),
    Column("asked", Integer, nullable=False),  # photos it was asked to write
    Column("state", Text, nullable=False),
    Column("note", AnyText, nullable=False, default=""),
    Column("begun_at", Text, nullable=False),
    Column("ended_at", Text),
)

write_entries = Table(
    "write_entries",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("batch_id", ForeignKey("write_batches.id", ondelete="CASCADE"), nullable=False),
    Column("target", Text, nullable=False),  # the kind of target: "file", ...
    Column("address", AnyText, nullable=False),  # where it is, in that kind's words: a file's path
    Column("state", Text, nullable=False),
    Column("reason", AnyText, nullable=False, default=""),
    Column("undoes", ForeignKey("write_entries.id")),
    Column("creates", Boolean, nullable=False),
    Column("old_digest", Text, nullable=False),  # "" where nothing was there
    Column("new_digest", Text, nullable=False),  # "" where nothing is to be left
    Column("before_form", Text, nullable=False),
    Column("before", LargeBinary),
    Column("added", LargeBinary),  # enough to take out exactly what was added, also after others wrote
    Column("details", Text, nullable=False),  # a JSON object: keywords added and removed
    Column("leftover", AnyText, nullable=False, default=""),  # a file of ours that may still lie beside the target
    Index("ix_write_entries_batch_id", "batch_id"),
    Index("ix_write_entries_state", "state"),
    Index("ix_write_entries_address", "address"),
)

write_entry_photos = Table(
    "write_entry_photos",
    METADATA,
    Column("entry_id", ForeignKey("write_entries.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("photo", AnyText, nullable=False),
    Index("ix_write_entry_photos_photo", "photo"),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """One go of write-backs, undone together."""

    id: str
    number: int
    kind: BatchKind
    label: str
    undoes: str | None
    asked: int
    state: BatchState
    note: str
    begun_at: str
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class Before:
    """What was there before a target was touched, in the form that gives it back."""

    form: BeforeForm
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """One write that is about to be done. Digests are SHA-256 in hexadecimal, "" for "nothing there"."""

    target: str
    address: str
    photos: tuple[str, ...]
    old_digest: str
    new_digest: str
    before: Before
    added: bytes
    added_keywords: tuple[str, ...]
    removed_keywords: tuple[str, ...]
    creates: bool
    leftover: str = ""
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An intent as the journal keeps it, and what became of it."""

    id: int
    batch_id: str
    state: EntryState
    reason: str
    intent: Intent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry. ``leftover`` stays as it was where it is None."""

    entry_id: int
    state: EntryState
    reason: str = ""
    leftover: str | None = ""


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """A batch, and how many of its targets and how many of their photos are in each state."""

    batch: Batch
    targets: dict[EntryState, int]
    photos: dict[EntryState, int]


def find_batch(connection: Connection, batch_id: str) -> Batch | None:
    row = connection.execute(select(write_batches).where(write_batches.c.id == batch_id)).first()
    return None if row is None else _batch(row)


def open_batches(connection: Connection) -> list[Batch]:
    """Batches that nobody has closed, oldest first."""
    chosen = select(write_batches).where(write_batches.c.state == BatchState.OPEN.value)
    return [_batch(row) for row in connection.execute(chosen.order_by(write_batches.c.number))]


def list_batches(connection: Connection, limit: int | None = None) -> list[BatchCounts]:
    """The newest batches first."""
    chosen = select(write_batches).order_by(write_batches.c.number.desc())
    rows = connection.execute(chosen if limit is None else chosen.limit(limit)).all()
    return count_entries(connection, [_batch(row) for row in rows])


def count_entries(connection: Connection, batches: Sequence[Batch]) -> list[BatchCounts]:
    counts = {batch.id: BatchCounts(batch, {}, {}) for batch in batches}
    e, p = write_entries.c, write_entry_photos.c
    for ids in slices(list(counts)):
        targets = select(e.batch_id, e.state, func.count()).where(e.batch_id.in_(ids)).group_by(e.batch_id, e.state)
        for batch_id, state, number in connection.execute(targets):
            counts[batch_id].targets[EntryState(state)] = int(number)
        # A photo and its virtual copy share a target and are two. A photo written in several targets, such as its
        # file and its catalog's database, is one.
        named = (
            select(e.batch_id, e.state, p.photo, func.count().label("times"))
            .join(write_entry_photos, e.id == p.entry_id)
            .where(e.batch_id.in_(ids))
            .group_by(e.id, e.batch_id, e.state, p.photo)
            .subquery()
        )
        most = (
            select(named.c.batch_id, named.c.state, func.max(named.c.times).label("times"))
            .group_by(named.c.batch_id, named.c.state, named.c.photo)
            .subquery()
        )
        photos = select(most.c.batch_id, most.c.state, func.sum(most.c.times)).group_by(most.c.batch_id, most.c.state)
        for batch_id, state, number in connection.execute(photos):
            counts[batch_id].photos[EntryState(state)] = int(number)
    return list(counts.values())


def newest_undoable(connection: Connection) -> Batch | None:
    """The newest batch that wrote something which has not been taken out."""
    wrote = select(write_entries.c.batch_id).where(write_entries.c.state == EntryState.WRITTEN.value)
    chosen = (
        select(write_batches)
        .where(write_batches.c.kind == BatchKind.APPLY.value, write_batches.c.id.in_(wrote))
        .order_by(write_batches.c.number.desc())
    )
    row = connection.execute(chosen.limit(1)).first()
    return None if row is None else _batch(row)


def entry_ids(
    connection: Connection, batch_id: str, *, state: EntryState | None = None, photos: Sequence[str] | None = None
) -> list[int]:
    """Numbers of a batch's entries in the order they were written; of these photos alone, where they are given."""
    chosen = select(write_entries.c.id).where(write_entries.c.batch_id == batch_id)
    if state is not None:
        chosen = chosen.where(write_entries.c.state == state.value)
    if photos is None:
        return [int(row.id) for row in connection.execute(chosen.order_by(write_entries.c.id))]
    found: set[int] = set()
    for some in slices(list(photos)):
        named = select(write_entry_photos.c.entry_id).where(write_entry_photos.c.photo.in_(some))
        found.update(int(row.id) for row in connection.execute(chosen.where(write_entries.c.id.in_(named))))
    return sorted(found)


def count_photos(connection: Connection, ids: Sequence[int]) -> int:
    """How many photos these entries concern; one named by two entries counts twice."""
    total = 0
    for some in slices(list(ids)):
        chosen = select(func.count()).where(write_entry_photos.c.entry_id.in_(some))
        total += int(connection.execute(chosen).scalar_one())
    return total


def get_entries(connection: Connection, ids: Sequence[int]) -> list[Entry]:
    """These entries, whole, in the order asked for."""
    by_id: dict[int, Entry] = {}
    for some in slices(list(ids)):
        by_id.update(
            (entry.id, entry)
            for entry in _entries(connection, select(write_entries).where(write_entries.c.id.in_(some)))
        )
    return [by_id[wanted] for wanted in ids if wanted in by_id]


def unsettled_entry_ids(connection: Connection) -> list[int]:
    """Entries whose target nobody has looked at since it may have been touched, or that may have left a file behind."""
    chosen = select(write_entries.c.id).where(
        (write_entries.c.state == EntryState.INTENDED.value) | (write_entries.c.leftover != "")
    )
    return [int(row.id) for row in connection.execute(chosen.order_by(write_entries.c.id))]


def _entries(connection: Connection, chosen: Select[Any]) -> Iterator[Entry]:
    rows = connection.execute(chosen).all()
    photos: dict[int, list[str]] = {int(row.id): [] for row in rows}
    for some in slices(list(photos)):
        named = select(write_entry_photos).where(write_entry_photos.c.entry_id.in_(some))
        for row in connection.execute(named.order_by(write_entry_photos.c.entry_id, write_entry_photos.c.position)):
            photos[int(row.entry_id)].append(row.photo)
    for row in rows:
        details = json.loads(row.details)
        yield Entry(
            id=int(row.id),
            batch_id=row.batch_id,
            state=EntryState(row.state),
            reason=row.reason,
            intent=Intent(
                target=row.target,
                address=row.address,
                photos=tuple(photos[int(row.id)]),
                old_digest=row.old_digest,
                new_digest=row.new_digest,
                before=Before(BeforeForm(row.before_form), row.before),
                added=row.added or b"",
                added_keywords=tuple(details["added"]),
                removed_keywords=tuple(details["removed"]),
                creates=bool(row.creates),
                leftover=row.leftover,
                undoes=row.undoes,
            ),
        )


def _batch(row: Row[Any]) -> Batch:
    return Batch(
        id=row.id,
        number=int(row.number),
        kind=BatchKind(row.kind),
        label=row.label,
        undoes=row.undoes,
        asked=int(row.asked),
        state=BatchState(row.state),
        note=row.note,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
    )
