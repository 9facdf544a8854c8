"""What the journal knows of one target from the first write to the last: to undo batches in any order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from keywright.store.journal import Before, BeforeForm, EntryState, write_entries, write_entry_photos
from keywright.store.slices import slices


@dataclass(frozen=True, slots=True)
class Trace:
    """One write that was done to a target, without the content that was there before."""

    id: int
    state: EntryState  # written or undone
    undoes: int | None
    old_digest: str
    new_digest: str
    added: bytes
    added_keywords: tuple[str, ...]
    removed_keywords: tuple[str, ...]


def traces(connection: Connection, kind: str, addresses: Sequence[str]) -> dict[str, tuple[Trace, ...]]:
    """The writes done to each of these targets, in the order they were done."""
    found: dict[str, list[Trace]] = {address: [] for address in addresses}
    e = write_entries.c
    done = e.state.in_([EntryState.WRITTEN.value, EntryState.UNDONE.value])
    columns = (e.id, e.address, e.state, e.undoes, e.old_digest, e.new_digest, e.added, e.details)
    for some in slices(list(found)):
        chosen = select(*columns).where(e.address.in_(some), e.target == kind, done).order_by(e.id)
        for row in connection.execute(chosen):
            details = json.loads(row.details)
            found[row.address].append(
                Trace(
                    id=int(row.id),
                    state=EntryState(row.state),
                    undoes=row.undoes,
                    old_digest=row.old_digest,
                    new_digest=row.new_digest,
                    added=row.added or b"",
                    added_keywords=tuple(details["added"]),
                    removed_keywords=tuple(details["removed"]),
                )
            )
    return {address: tuple(some) for address, some in found.items()}


def before_of(connection: Connection, entry_id: int) -> Before:
    """What was there before this write."""
    chosen = select(write_entries.c.before_form, write_entries.c.before).where(write_entries.c.id == entry_id)
    row = connection.execute(chosen).one()
    return Before(BeforeForm(row.before_form), row.before)


def taken_out(connection: Connection, entry_ids: Sequence[int]) -> list[tuple[str, tuple[str, ...]]]:
    """Of batches of these entries (of which they undo, for undos): the photos on which nothing of the batch stands.

    Gives (batch id, paths of photos). What nobody has looked at since a crash may stand.
    """
    e, p = write_entries.c, write_entry_photos.c
    gone: dict[str, set[str]] = {}
    for some in slices(list(entry_ids)):
        undone = select(e.undoes).where(e.id.in_(some), e.undoes.is_not(None), e.state == EntryState.WRITTEN.value)
        left = e.id.in_(some) & e.undoes.is_(None) & e.state.in_([EntryState.LEFT.value, EntryState.UNDONE.value])
        chosen = select(e.batch_id, p.photo).join(write_entry_photos, e.id == p.entry_id)
        for row in connection.execute(chosen.where(left | e.id.in_(undone))):
            gone.setdefault(row.batch_id, set()).add(row.photo)
    stands = e.state.in_([EntryState.WRITTEN.value, EntryState.INTENDED.value])
    for batch_id, photos in gone.items():
        for named in slices(sorted(photos)):
            others = select(p.photo).join(write_entries, e.id == p.entry_id)
            kept = connection.execute(others.where(e.batch_id == batch_id, stands, p.photo.in_(named)))
            photos.difference_update(kept.scalars().all())
    return [(batch_id, tuple(sorted(photos))) for batch_id, photos in gone.items() if photos]
