"""A batch under way: groups of writes, each journalled in one commit before any of its targets is touched.

The commit that holds a group's intents also notes what became of the group before it, so a batch costs one commit for
each group and one at its end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.store.intents import add_intents, close_batch, open_batch
from keywright.store.journal import (
    BatchKind,
    BatchState,
    Entry,
    EntryState,
    Outcome,
)
from keywright.writeback.base import BatchReport, Cancel, Done, Prepared, Progress, Refusal, Target, Written
from keywright.writeback.journal import Journal, new_batch_id

GROUP_WRITES = 64
GROUP_BYTES = 64 * 2**20

CANCELLED = "it was cancelled"

Alongside = Callable[[Connection, Sequence[Entry]], None]
"""Called with the intents of a group in the transaction that journals them: what is to be known of them if, and only
if, their targets may be touched."""


class RunningBatch:
    """Takes prepared writes, journals and carries them out group by group, and fills the report."""

    def __init__(
        self,
        journal: Journal,
        report: BatchReport,
        kind: BatchKind,
        *,
        label: str,
        asked: int,
        undoes: str | None = None,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        alongside: Alongside = lambda *_: None,
    ) -> None:
        self.id = new_batch_id()
        self._alongside = alongside
        self.report = report
        self._journal = journal
        self._kind = kind
        self._label = label
        self._asked = asked
        self._undoes = undoes
        self._progress = progress
        self._cancel = cancel or (lambda: False)
        self._group: list[tuple[Target[Any], Prepared]] = []
        self._places: set[tuple[str, str]] = set()
        self._weight = 0
        self._pending: list[Outcome] = []
        self._names = 0
        self._done = 0

    @property
    def opened(self) -> bool:
        return self.report.batch_id is not None

    def next_name(self) -> str:
        self._names += 1
        return f"{self.id}-{self._names}"

    def should_stop(self) -> bool:
        """Whether nothing more is to be begun: the disk is full, the journal is gone, or the user cancelled."""
        if not self.report.stopped and self._cancel():
            self.report.stopped = CANCELLED
        return bool(self.report.stopped)

    def make_room_for(self, target: Target[Any], address: str) -> None:
        """Carry out what waits, if ``address`` is among it: a second write must see the first."""
        if (target.kind, target.same_place(address)) in self._places:
            self.flush()

    def add(self, target: Target[Any], prepared: Prepared) -> None:
        if self._group and self._weight + prepared.weight > GROUP_BYTES:
            self.flush()
        self._group.append((target, prepared))
        self._places.add((target.kind, target.same_place(prepared.intent.address)))
        self._weight += prepared.weight
        if len(self._group) >= GROUP_WRITES:
            self.flush()

    def note(self, outcome: Outcome) -> None:
        """Have this noted in the journal with the next commit."""
        self._pending.append(outcome)

    def refuse(self, refusal: Refusal) -> None:
        self.report.refused.append(refusal)
        self._advance(refusal.photos)

    def unchanged(self, photos: tuple[Path, ...]) -> None:
        self.report.unchanged.append(photos)
        self._advance(photos)

    def flush(self) -> None:
        """Journal what waits, then do it."""
        group, self._group, self._places, self._weight = self._group, [], set(), 0
        if not group:
            return
        if self.report.stopped:
            self.report.not_reached += sum(len(p.intent.photos) for _, p in group)
            return
        try:
            entries = self._commit([prepared for _, prepared in group])
        except KeywrightError as error:
            self.report.stopped = f"the journal cannot be kept ({error})"
            self.report.not_reached += sum(len(p.intent.photos) for _, p in group)
            return
        for target in dict.fromkeys(target for target, _ in group):
            work = [(e, p) for e, (t, p) in zip(entries, group, strict=True) if t is target]
            for done in target.carry_out(work, self._cancel):
                self._finish(done)

    def _commit(self, group: list[Prepared]) -> list[Entry]:
        with self._journal.write() as connection:
            if not self.opened:
                open_batch(connection, self.id, self._kind, label=self._label, asked=self._asked, undoes=self._undoes)
            self._journal.settle(connection, self._pending)
            entries = add_intents(connection, self.id, [prepared.intent for prepared in group])
            self._alongside(connection, entries)
        self.report.batch_id = self.id
        self._pending = []
        return entries

    def _finish(self, done: Done) -> None:
        entry = done.entry
        photos = tuple(Path(photo) for photo in entry.intent.photos)
        self._pending.append(Outcome(entry.id, done.state, done.reason, done.leftover))
        if done.stops and not self.report.stopped:
            self.report.stopped = done.stops
        if done.warning and done.warning not in self.report.warnings:
            self.report.warnings.append(done.warning)
        if done.state is EntryState.WRITTEN:
            self.report.written.append(written(entry))
        elif done.reached:
            self.report.refused.append(Refusal(photos, entry.intent.address, done.reason))
        else:
            self.report.not_reached += len(photos)
            return
        self._advance(photos)

    def _advance(self, photos: tuple[Path, ...]) -> None:
        self._done += len(photos)
        if self._progress is not None and photos:
            # A photo that is written in its file and in its catalog is done twice.
            self._progress(min(self._done, self._asked), self._asked, photos[-1])

    def close(self) -> None:
        """Carry out what waits and end the batch in the journal."""
        self.flush()
        if self.should_stop():
            self.report.not_reached = max(0, self._asked - self._done)
        state = BatchState.STOPPED if self.report.stopped else BatchState.FINISHED
        try:
            if self.opened or self._pending:
                with self._journal.write() as connection:
                    self._journal.settle(connection, self._pending)
                    if self.opened:
                        close_batch(connection, self.id, state, self.report.stopped)
                self._pending = []
        except KeywrightError as error:
            # The files are all right; the next start looks at them and closes the batch.
            self.report.stopped = self.report.stopped or f"the journal cannot be kept ({error})"

    def abandon(self) -> None:
        """After an exception: note what is known; the next start finds out the rest."""
        with contextlib.suppress(KeywrightError, SQLAlchemyError):
            if self._pending:
                with self._journal.write() as connection:
                    self._journal.settle(connection, self._pending)


def written(entry: Entry) -> Written:
    intent = entry.intent
    return Written(
        where=intent.address,
        photos=tuple(Path(photo) for photo in intent.photos),
        added=tuple(KeywordPath.parse(text) for text in intent.added_keywords),
        removed=tuple(KeywordPath.parse(text) for text in intent.removed_keywords),
        created=intent.creates,
        target=intent.target,
    )
