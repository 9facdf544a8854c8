"""What a crash left: every target looked at, every file of ours removed, every open batch closed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from keywright.store.intents import close_batch
from keywright.store.journal import (
    Batch,
    BatchState,
    Entry,
    EntryState,
    Outcome,
    count_entries,
    find_batch,
    get_entries,
    open_batches,
    unsettled_entry_ids,
)
from keywright.writeback.base import Done, RecoveryReport, Refusal, Target
from keywright.writeback.journal import BusyError, Journal
from keywright.writeback.running import written


def recover(journal: Journal, targets: Mapping[str, Target[Any]]) -> list[RecoveryReport]:
    """Close the batches whose process was killed: to be called before anything is written, and when the bridge starts.

    Afterwards every target is known to be old or new, and nothing of ours lies beside it. What had been written stays
    written and can be undone; what had not is as it was, and is written by the next apply. A target that cannot be
    reached (a drive that is not plugged in) keeps its batch open for the next start.
    An empty list where nothing was left, or where another Keywright is at work.
    """
    try:
        with journal.alone():
            return settle_open_batches(journal, targets)
    except BusyError:
        return []


def settle_open_batches(journal: Journal, targets: Mapping[str, Target[Any]]) -> list[RecoveryReport]:
    """``recover`` for a caller that holds the journal's lock."""
    with journal.read() as connection:
        waiting = open_batches(connection)
        ids = unsettled_entry_ids(connection)
        if not waiting and not ids:
            return []
        entries = get_entries(connection, ids)
    by_batch = {batch_id: list(some) for batch_id, some in groupby(entries, key=lambda entry: entry.batch_id)}
    reports = []
    for batch in waiting:
        reports.append(_settle_batch(journal, batch, by_batch.pop(batch.id, []), targets))
    for batch_id, some in by_batch.items():
        # A closed batch whose leftover could not be removed at its time.
        with journal.read() as connection:
            closed = find_batch(connection, batch_id)
        if closed is not None:
            _settle_batch(journal, closed, some, targets)
    return reports


def _settle_batch(
    journal: Journal, batch: Batch, entries: list[Entry], targets: Mapping[str, Target[Any]]
) -> RecoveryReport:
    results = [_look(entry, targets) for entry in entries]
    done = [result for result in results if isinstance(result, Done)]
    unreachable = tuple(result for result in results if isinstance(result, Refusal))
    with journal.write() as connection:
        journal.settle(connection, [Outcome(d.entry.id, d.state, d.reason, d.leftover) for d in done])
        if batch.state is BatchState.OPEN and not unreachable:
            close_batch(connection, batch.id, BatchState.INTERRUPTED)
        counts = count_entries(connection, [batch])[0]
    return RecoveryReport(
        batch_id=batch.id,
        kind=batch.kind,
        asked=batch.asked,
        written=tuple(written(d.entry) for d in done if d.state is EntryState.WRITTEN),
        left=tuple(
            Refusal(tuple(Path(photo) for photo in d.entry.intent.photos), d.entry.intent.address, d.reason)
            for d in done
            if d.state is EntryState.LEFT
        ),
        removed=tuple(d.cleared for d in done if d.cleared),
        unreachable=unreachable,
        photos_written=sum(counts.photos.get(state, 0) for state in (EntryState.WRITTEN, EntryState.UNDONE)),
    )


def _look(entry: Entry, targets: Mapping[str, Target[Any]]) -> Done | Refusal:
    target = targets.get(entry.intent.target)
    if target is None:
        photos = tuple(Path(photo) for photo in entry.intent.photos)
        return Refusal(photos, entry.intent.address, f"this Keywright cannot look at a {entry.intent.target}")
    return target.settle(entry)
