"""A process that applies or undoes until it kills itself: ``main(what, home, folder, call, after)``."""

from __future__ import annotations

from pathlib import Path

from keywright.writeback import apply, undo
from writeback.disks import KillingDisk
from writeback.kit import accept, open_journal, photos_in, targets


def main(what: str, home: str, folder: str, call: str, after: str) -> None:
    """Killed at that call to the disk, or right after it."""
    disk = KillingDisk(int(call), after=after == "after")
    journal = open_journal(Path(home))
    if what == "apply":
        apply(accept(photos_in(Path(folder))), journal, targets(ops=disk))
    else:
        undo(None, journal, targets(ops=disk))
