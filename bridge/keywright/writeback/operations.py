"""What the command line and the service call: plan, apply, undo. Plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from keywright.store.journal import (
    Batch,
    BatchKind,
    Before,
    Entry,
    EntryState,
    Outcome,
    count_photos,
    entry_ids,
    find_batch,
    get_entries,
    newest_undoable,
)
from keywright.store.timeline import before_of, traces
from keywright.writeback.base import (
    BatchReport,
    Cancel,
    NothingToUndo,
    PhotoDecisions,
    PlannedWrite,
    Progress,
    Refusal,
    Target,
    WriteBackError,
    WriteBackPlan,
)
from keywright.writeback.journal import Journal
from keywright.writeback.order import Past
from keywright.writeback.recovery import settle_open_batches
from keywright.writeback.running import Alongside, RunningBatch

_UNDO_AT_ONCE = 64


def plan(
    decisions: Sequence[PhotoDecisions],
    targets: Mapping[str, Target[Any]],
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> WriteBackPlan:
    """The dry run: what ``apply`` would write where, what is there already, and what it would refuse and why.

    Reads the files and touches nothing. No content is kept, so a plan of a hundred thousand photos is small.
    """
    writes: list[PlannedWrite] = []
    unchanged: list[PlannedWrite] = []
    refused: list[Refusal] = []
    done = 0
    for target in targets.values():
        for cluster in target.clusters(decisions):
            if cancel is not None and cancel():
                break
            found = cluster if isinstance(cluster, Refusal) else target.prepare(cluster, "plan")
            if isinstance(found, Refusal):
                refused.append(found)
            elif isinstance(found, PlannedWrite):
                unchanged.append(found)
            else:
                writes.append(found.planned)
            done += len(cluster.photos)
            if progress is not None:
                progress(done, len(decisions), cluster.photos[-1])
    return WriteBackPlan(tuple(writes), tuple(unchanged), tuple(refused))


def apply(
    decisions: Sequence[PhotoDecisions],
    journal: Journal,
    targets: Mapping[str, Target[Any]],
    *,
    label: str = "",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    alongside: Alongside = lambda *_: None,
) -> BatchReport:
    """Write what was decided, as one batch that can be undone. ``label`` says in the history what it was about.

    ``alongside`` keeps what the caller wants to know of the writes in the very transactions that journal them.

    Every target is read anew, so that what was planned earlier is merged into what is there now. A target that fails
    is one line of the report, and the others are written. Raises ``WriteBackError`` only where nothing can be begun.
    """
    report = BatchReport()
    with journal.alone():
        report.recovered = settle_open_batches(journal, targets)
        batch = RunningBatch(
            journal,
            report,
            BatchKind.APPLY,
            label=label,
            asked=len(decisions),
            progress=progress,
            cancel=cancel,
            alongside=alongside,
        )
        try:
            for target in targets.values():
                for cluster in target.clusters(decisions):
                    if batch.should_stop():
                        break
                    if isinstance(cluster, Refusal):
                        batch.refuse(cluster)
                        continue
                    batch.make_room_for(target, cluster.address)
                    prepared = target.prepare(cluster, batch.next_name())
                    if isinstance(prepared, Refusal):
                        batch.refuse(prepared)
                    elif isinstance(prepared, PlannedWrite):
                        batch.unchanged(prepared.photos)
                    else:
                        batch.add(target, prepared)
                batch.flush()
            batch.close()
        except BaseException:
            batch.abandon()
            raise
    return report


def undo(
    batch_id: str | None,
    journal: Journal,
    targets: Mapping[str, Target[Any]],
    *,
    photos: Iterable[Path] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> BatchReport:
    """Take out what a batch wrote, and nothing else; of these photos alone where they are given.

    ``None`` is the newest batch of which anything is left. A file that nobody has written since becomes byte for byte
    what it was; from others exactly our keywords are taken. In the report, ``written`` are the targets that were
    changed, ``unchanged`` those that hold nothing of ours any more. Undo is a batch too, and is recovered like one.
    Raises ``WriteBackError`` where there is no such batch.
    """
    report = BatchReport(BatchKind.UNDO)
    with journal.alone():
        report.recovered = settle_open_batches(journal, targets)
        undone = _to_undo(batch_id, journal)
        with journal.read() as connection:
            named = None if photos is None else [str(photo) for photo in photos]
            ids = entry_ids(connection, undone.id, state=EntryState.WRITTEN, photos=named)
            asked = count_photos(connection, ids)
        ids.reverse()  # a target written twice goes back step by step
        batch = RunningBatch(
            journal,
            report,
            BatchKind.UNDO,
            label=undone.label,
            asked=asked,
            undoes=undone.id,
            progress=progress,
            cancel=cancel,
        )
        try:
            _take_out(batch, ids, journal, targets)
            batch.close()
        except BaseException:
            batch.abandon()
            raise
    return report


def _to_undo(batch_id: str | None, journal: Journal) -> Batch:
    with journal.read() as connection:
        if batch_id is None:
            newest = newest_undoable(connection)
            if newest is None:
                raise WriteBackError("There is nothing to undo: Keywright has written nothing that is still there.")
            return newest
        found = find_batch(connection, batch_id)
    if found is None:
        raise WriteBackError(f"There is no batch {batch_id}; the history lists them.")
    if found.kind is BatchKind.UNDO:
        raise WriteBackError(f"Batch {batch_id} took keywords out; to have them again, apply them again.")
    return found


def _take_out(batch: RunningBatch, ids: Sequence[int], journal: Journal, targets: Mapping[str, Target[Any]]) -> None:
    for start in range(0, len(ids), _UNDO_AT_ONCE):
        with journal.read() as connection:
            entries = get_entries(connection, ids[start : start + _UNDO_AT_ONCE])
            pasts = _pasts(journal, connection, entries)
        for entry in entries:
            if batch.should_stop():
                return
            photos = tuple(Path(photo) for photo in entry.intent.photos)
            target = targets.get(entry.intent.target)
            if target is None:
                why = f"this Keywright cannot undo in a {entry.intent.target}"
                batch.refuse(Refusal(photos, entry.intent.address, why))
                continue
            batch.make_room_for(target, entry.intent.address)
            prepared = target.prepare_undo(entry, batch.next_name(), pasts[entry.intent.target, entry.intent.address])
            if isinstance(prepared, Refusal):
                batch.refuse(prepared)
            elif isinstance(prepared, NothingToUndo):
                batch.note(Outcome(entry.id, EntryState.UNDONE, prepared.reason))
                batch.unchanged(photos)
            else:
                batch.add(target, prepared)


def _pasts(journal: Journal, connection: Connection, entries: Sequence[Entry]) -> dict[tuple[str, str], Past]:
    """What was done to each target of these entries."""

    def before(entry_id: int) -> Before:
        with journal.read() as other:
            return before_of(other, entry_id)

    found = {}
    for kind in {entry.intent.target for entry in entries}:
        addresses = sorted({entry.intent.address for entry in entries if entry.intent.target == kind})
        for address, some in traces(connection, kind, addresses).items():
            found[kind, address] = Past(some, before)
    return found
