"""What was written and when: the list of batches, and one batch's files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keywright.keywords import KeywordPath
from keywright.store.journal import BatchCounts as _Counts
from keywright.store.journal import (
    BatchKind,
    BatchState,
    EntryState,
    count_entries,
    entry_ids,
    find_batch,
    get_entries,
    list_batches,
)
from keywright.writeback.base import WriteBackError
from keywright.writeback.journal import Journal


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch, counted in photos: ``written`` still hold what was written, ``undone`` do not any more."""

    id: str
    kind: BatchKind
    label: str
    undoes: str | None
    state: BatchState
    note: str
    begun_at: str  # ISO 8601, UTC
    ended_at: str | None
    asked: int
    written: int
    undone: int
    left: int
    unknown: int  # not looked at since a crash


@dataclass(frozen=True, slots=True)
class BatchFile:
    """What became of one target of a batch."""

    where: str
    photos: tuple[Path, ...]
    state: EntryState
    reason: str
    added: tuple[KeywordPath, ...]
    removed: tuple[KeywordPath, ...]
    created: bool


def history(journal: Journal, limit: int | None = None) -> list[BatchSummary]:
    """The batches, newest first."""
    with journal.read() as connection:
        return [_summary(counts) for counts in list_batches(connection, limit)]


def batch_summary(journal: Journal, batch_id: str) -> BatchSummary:
    """One batch. Raises ``WriteBackError`` where there is no such batch."""
    with journal.read() as connection:
        found = find_batch(connection, batch_id)
        if found is None:
            raise WriteBackError(f"There is no batch {batch_id}; the history lists them.")
        return _summary(count_entries(connection, [found])[0])


def batch_files(journal: Journal, batch_id: str) -> Iterator[BatchFile]:
    """The targets of a batch in the order they were written."""
    with journal.read() as connection:
        ids = entry_ids(connection, batch_id)
    for start in range(0, len(ids), 200):
        with journal.read() as connection:
            entries = get_entries(connection, ids[start : start + 200])
        for entry in entries:
            yield BatchFile(
                where=entry.intent.address,
                photos=tuple(Path(photo) for photo in entry.intent.photos),
                state=entry.state,
                reason=entry.reason,
                added=tuple(KeywordPath.parse(text) for text in entry.intent.added_keywords),
                removed=tuple(KeywordPath.parse(text) for text in entry.intent.removed_keywords),
                created=entry.intent.creates,
            )


def _summary(counts: _Counts) -> BatchSummary:
    batch, photos = counts.batch, counts.photos
    return BatchSummary(
        id=batch.id,
        kind=batch.kind,
        label=batch.label,
        undoes=batch.undoes,
        state=batch.state,
        note=batch.note,
        begun_at=batch.begun_at,
        ended_at=batch.ended_at,
        asked=batch.asked,
        written=photos.get(EntryState.WRITTEN, 0),
        undone=photos.get(EntryState.UNDONE, 0),
        left=photos.get(EntryState.LEFT, 0),
        unknown=photos.get(EntryState.INTENDED, 0),
    )
