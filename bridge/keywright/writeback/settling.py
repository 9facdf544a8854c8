"""After a crash: whether a file is old, new, or has been written by somebody else since."""

from __future__ import annotations

from pathlib import Path

from keywright.errors import KeywrightError
from keywright.metadata import Added, revert
from keywright.metadata.data import Data
from keywright.store.journal import Entry, EntryState, Intent
from keywright.writeback.base import Done, Refusal
from keywright.writeback.before import digest
from keywright.writeback.fileops import FileOps
from keywright.writeback.writing import explain

INTERRUPTED = "Keywright was interrupted before it was written"
FOREIGN_OLD = "another program wrote it after Keywright was interrupted, and what was to be written is not in it"
FOREIGN_NEW = "another program has written it since"
GONE = "the file is gone"


def settle_file(ops: FileOps, entry: Entry) -> Done | Refusal:
    """See what became of a file, and remove what lies beside it. ``Refusal`` where the drive is away."""
    intent = entry.intent
    path = Path(intent.address)
    photos = tuple(Path(photo) for photo in intent.photos)
    try:
        if ops.look(path.parent) is None:
            return Refusal(photos, intent.address, "its folder cannot be reached")
        unfinished = _remove_leftover(ops, intent)
        removed = intent.leftover if unfinished else ""
        if entry.state is not EntryState.INTENDED:
            return Done(entry, entry.state, entry.reason, cleared=removed)
        now = None if ops.look(path) is None else ops.read(path)
        state, why = judge(now, intent, path.name, unfinished=unfinished)
        if state is EntryState.WRITTEN:
            # What is new here may still be on its way to the disk.
            ops.sync_folder(path.parent)
    except OSError as error:
        return Refusal(photos, intent.address, explain(error))
    return Done(entry, state, why, cleared=removed)


def judge(now: Data | None, intent: Intent, name: str, *, unfinished: bool) -> tuple[EntryState, str]:
    """Whether the intent was carried out, by the content found: the digests know, or else the keywords in it.

    ``unfinished``: our own file still lay beside it, so that it cannot have been replaced.
    """
    found = digest(now)
    if found == intent.new_digest:
        return EntryState.WRITTEN, ""
    if found == intent.old_digest:
        return EntryState.LEFT, INTERRUPTED
    if now is None:
        return EntryState.LEFT, GONE
    if unfinished:
        return EntryState.LEFT, FOREIGN_OLD
    try:
        ours_in_it = revert(now, name, Added.from_json(intent.added.decode())) != now
    except KeywrightError:
        return EntryState.LEFT, FOREIGN_OLD
    undo = intent.undoes is not None
    return (EntryState.WRITTEN, FOREIGN_NEW) if ours_in_it is not undo else (EntryState.LEFT, FOREIGN_OLD)


def _remove_leftover(ops: FileOps, intent: Intent) -> bool:
    """Whether our file was still there."""
    if not intent.leftover or ops.look(Path(intent.leftover)) is None:
        return False
    ops.remove(Path(intent.leftover))
    return True
