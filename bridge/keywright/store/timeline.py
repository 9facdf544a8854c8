"""What the journal knows of one target from the first write to the last: to undo batches in any order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from keywright.store.journal import Before, BeforeForm, EntryState, slices, write_entries


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
