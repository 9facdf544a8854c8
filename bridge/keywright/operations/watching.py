"""Watching folders: which photos are new or changed, once whoever writes them has finished."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keywright.catalogs.walking import PHOTO_SUFFIXES, is_passed_by
from keywright.errors import KeywrightError, reason

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

QUIET_SECONDS = 2.0
"""A file that has not changed for so long is taken for finished: cameras and copies write without such pauses."""

MOST_WAITING = 100_000
"""Files that are waited for at once; more at a time are found by reading the folder anew."""

Stamp = tuple[int, int]
Look = Callable[[Path], Stamp | None]


@dataclass(slots=True)
class _Waiting:
    since: float
    stamp: Stamp | None


class Settling:
    """Files that were seen changing, until they have been the same for ``QUIET_SECONDS``."""

    def __init__(self, quiet: float = QUIET_SECONDS) -> None:
        self._quiet = quiet
        self._files: dict[Path, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._files)

    def seen(self, path: Path, now: float) -> None:
        """Something happened to this file."""
        if path in self._files or len(self._files) < MOST_WAITING:
            self._files[path] = _Waiting(now, None)

    def settled(self, now: float, look: Look) -> list[Path]:
        """The files that are finished; ``look`` gives a file's size and time, ``None`` where it is gone."""
        found = []
        for path, waiting in list(self._files.items()):
            stamp = look(path)
            if stamp is None:
                del self._files[path]
            elif stamp != waiting.stamp or stamp[0] == 0:
                # Also looked at, not only listened to: some drives tell of the first write alone.
                self._files[path] = _Waiting(now, stamp)
            elif now - waiting.since >= self._quiet:
                del self._files[path]
                found.append(path)
        return sorted(found)


def look(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def is_watched(path: Path, folders: Sequence[Path]) -> bool:
    """Whether a path is a photo in one of the folders, and not in a trash, a hidden folder or a program's bundle."""
    if path.suffix.lower() not in PHOTO_SUFFIXES or path.name.startswith("."):
        return False
    for folder in folders:
        if path.is_relative_to(folder):
            return not any(is_passed_by(part) for part in path.relative_to(folder).parent.parts)
    return False


def watch(
    folders: Sequence[Path],
    stop: Callable[[], bool],
    *,
    poll: bool = False,
    quiet: float = QUIET_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[list[Path]]:
    """The photos of these folders that are new or changed, some at a time, each once it is finished.

    ``poll``: look at the folders again and again, for drives that tell of no changes. Ends once ``stop()`` is true;
    it is asked several times a second. Raises ``KeywrightError`` where a folder cannot be watched.
    """
    changes: queue.SimpleQueue[Path] = queue.SimpleQueue()
    observer = _observer(folders, changes, poll=poll)
    settling = Settling(quiet)
    try:
        while not stop():
            try:
                settling.seen(changes.get(timeout=min(quiet / 4, 0.25)), clock())
                while not changes.empty():
                    settling.seen(changes.get(), clock())
            except queue.Empty:
                pass
            if len(settling) and (finished := settling.settled(clock(), look)):
                yield finished
    finally:
        observer.stop()
        observer.join()


def _observer(folders: Sequence[Path], changes: queue.SimpleQueue[Path], *, poll: bool) -> BaseObserver:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer
    from watchdog.observers.polling import PollingObserver

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.is_directory or event.event_type in ("opened", "closed_no_write", "deleted"):
                return
            for name in (event.src_path, getattr(event, "dest_path", "")):
                path = Path(os.fsdecode(name)) if name else None
                if path is not None and is_watched(path, folders):
                    changes.put(path)

    observer: BaseObserver = PollingObserver() if poll else Observer()
    for folder in folders:
        try:
            observer.schedule(Handler(), str(folder), recursive=True)
        except OSError as error:
            raise KeywrightError(f"{folder} cannot be watched ({reason(error)}).") from error
    try:
        observer.start()
    except OSError as error:
        raise KeywrightError(
            f"{', '.join(str(f) for f in folders)} cannot be watched ({reason(error)}); try --poll."
        ) from error
    return observer
