"""Replacing files so that each is old or new at every moment, whatever fails: the only code that touches them.

A group of files goes through each step together: all new contents are written beside the old files and brought to
the disk, then each file is looked at once more and replaced, then the folders are brought to the disk.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from keywright import platform
from keywright.errors import reason
from keywright.metadata.data import Data
from keywright.store.journal import Entry, EntryState
from keywright.writeback.base import Done
from keywright.writeback.before import digest
from keywright.writeback.fileops import FileOps, Seen

SYNCED_TOGETHER = 16

CHANGED = "it was changed by another program in the meantime; it was left as it is"
CANCELLED = "the batch was cancelled before"


@dataclass(frozen=True, slots=True)
class Replacement:
    """A file and what it is to become. ``content`` None removes it; ``seen`` None: it must not exist yet."""

    entry: Entry
    path: Path
    content: Data | None
    seen: Seen | None
    beside: Path


def explain(error: OSError) -> str:
    """Why a file could not be written, for a person."""
    if platform.is_disk_full(error):
        return "the disk is full"
    if platform.is_in_use(error):
        return "it is open in another program; close it there and apply again"
    if error.errno == errno.EROFS:
        return "the drive can only be read"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "the folder or the file may not be written (no permission)"
    if error.errno == errno.EIO:
        return "the drive reports an input/output error"
    if error.errno == errno.EEXIST:
        return "another program has made this file in the meantime; it was left as it is"
    return reason(error)


class Writer:
    """Carries out replacements through ``ops``; ``keep_times`` leaves the files' times as they were."""

    def __init__(self, ops: FileOps, *, keep_times: bool) -> None:
        self._ops = ops
        self._keep_times = keep_times

    def carry_out(self, work: Sequence[Replacement], cancel: Callable[[], bool]) -> list[Done]:
        """Do them in order, each whole or not at all; one that fails does not keep the others from being done."""
        done: dict[int, Done] = {}
        ready: list[Replacement] = []
        stops = ""
        for one in work:
            if stops or cancel():
                done[one.entry.id] = Done(one.entry, EntryState.LEFT, stops or CANCELLED, reached=False)
                continue
            failed = self._attempt(one, self._write_beside)
            if failed is None:
                ready.append(one)
            else:
                done[one.entry.id] = failed
                stops = failed.stops
        synced = []
        for one, failed in zip(ready, self._sync_all(ready), strict=True):
            if failed is None:
                synced.append(one)
            else:
                done[one.entry.id] = failed
        folders: dict[Path, list[int]] = {}
        for one in synced:
            if cancel():
                done[one.entry.id] = Done(one.entry, EntryState.LEFT, CANCELLED, self._clear(one.beside), reached=False)
                continue
            done[one.entry.id] = self._attempt(one, self._exchange) or Done(one.entry, EntryState.WRITTEN)
            if done[one.entry.id].state is EntryState.WRITTEN:
                folders.setdefault(one.path.parent, []).append(one.entry.id)
        for folder, entries in folders.items():
            warning = self._sync_folder(folder)
            if warning:
                for entry in entries:
                    done[entry] = Done(done[entry].entry, EntryState.WRITTEN, leftover="", warning=warning)
        return [done[one.entry.id] for one in work]

    def _write_beside(self, one: Replacement) -> None:
        if one.content is None:
            return
        self._ops.write(one.beside, one.content, private=one.seen is not None)
        large = not isinstance(one.content, bytes)
        if large and digest(self._ops.read(one.beside)) != one.entry.intent.new_digest:
            raise ChangedMeanwhileError(CHANGED)  # it was copied from the file as it is by now
        if one.seen is not None:
            self._ops.copy_attributes(one.path, one.beside, times=self._keep_times)

    def _sync_all(self, ready: Sequence[Replacement]) -> list[Done | None]:
        # File systems bring files that are synced at the same time to the disk together: four times as fast as one
        # after the other on a busy ext4.
        if len(ready) < 2:
            return [self._attempt(one, self._sync) for one in ready]
        with ThreadPoolExecutor(min(len(ready), SYNCED_TOGETHER)) as pool:
            return list(pool.map(lambda one: self._attempt(one, self._sync), ready))

    def _sync(self, one: Replacement) -> None:
        if one.content is not None:
            self._ops.sync(one.beside)

    def _exchange(self, one: Replacement) -> None:
        if one.seen is None:
            self._ops.put_in_place(one.beside, one.path)
            return
        with self._ops.hold(one.path):
            if not self._untouched(one, one.seen):
                raise ChangedMeanwhileError(CHANGED)
            if one.content is None:
                self._ops.remove(one.path)
            else:
                self._ops.replace(one.beside, one.path)

    def _untouched(self, one: Replacement, seen: Seen) -> bool:
        now = self._ops.look(one.path)
        return seen.same_file(now) and digest(self._ops.read(one.path)) == one.entry.intent.old_digest

    def _attempt(self, one: Replacement, step: Callable[[Replacement], None]) -> Done | None:
        try:
            step(one)
        except OSError as error:
            if self._became_new(one):
                # A drive over the network may fail to answer after it has done what it was asked.
                return None
            leftover = self._clear(one.beside) if one.content is not None else ""
            why = str(error) if isinstance(error, ChangedMeanwhileError) else explain(error)
            stops = why if platform.is_disk_full(error) else ""
            return Done(one.entry, EntryState.LEFT, why, leftover, stops=stops)
        return None

    def _became_new(self, one: Replacement) -> bool:
        try:
            if one.content is None:
                return self._ops.look(one.path) is None and self._ops.look(one.path.parent) is not None
            if self._ops.look(one.beside) is not None:
                return False
            return digest(self._ops.read(one.path)) == one.entry.intent.new_digest
        except OSError:
            return False

    def _clear(self, beside: Path) -> str:
        """Remove our file; its path where that fails, for the journal to remember."""
        try:
            self._ops.remove(beside)
        except OSError:
            return str(beside)
        return ""

    def _sync_folder(self, folder: Path) -> str:
        try:
            self._ops.sync_folder(folder)
        except OSError as error:
            return f"{folder}: what was written there may be lost if the power fails now ({explain(error)})."
        return ""


class ChangedMeanwhileError(OSError):
    """The file is no longer the one that was read."""
