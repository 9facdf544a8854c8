"""Disks that misbehave on purpose: one that logs its calls for a power cut, one that fails at a chosen call."""

from __future__ import annotations

import errno
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from keywright.metadata.data import Data, whole
from keywright.writeback.fileops import RealFileOps, Seen


class FailingDisk:
    """The real disk, but the call with this number (from 0) fails, a write half done; ``calls`` names those made."""

    def __init__(self, fail_at: int | None = None, error: int = errno.EIO, *, after: bool = False) -> None:
        self._real = RealFileOps()
        self._fail_at = fail_at
        self._error = error
        self._after = after  # the call is carried out, and then fails: so do drives over a network
        self.calls: list[str] = []
        self._counting = Lock()

    def _call(self, name: str, path: Path, action: Callable[[], object]) -> object:
        with self._counting:  # files are synced by several threads
            number = len(self.calls)
            self.calls.append(name)
        if number != self._fail_at:
            return action()
        if self._after or name == "write":
            action()
        return self._fail(path)

    def _fail(self, path: Path) -> None:
        raise OSError(self._error, os.strerror(self._error), str(path))

    def look(self, path: Path) -> Seen | None:
        return self._call("look", path, lambda: self._real.look(path))  # type: ignore[return-value]

    def read(self, path: Path) -> bytes:
        return self._call("read", path, lambda: self._real.read(path))  # type: ignore[return-value]

    def write(self, path: Path, data: Data, *, private: bool) -> None:
        def half() -> None:
            self._real.write(path, data[: len(data) // 2], private=private)

        failing = len(self.calls) == self._fail_at
        self._call("write", path, half if failing else lambda: self._real.write(path, data, private=private))

    def copy_attributes(self, source: Path, path: Path, *, times: bool) -> None:
        self._call("copy_attributes", path, lambda: self._real.copy_attributes(source, path, times=times))

    def sync(self, path: Path) -> None:
        self._call("sync", path, lambda: self._real.sync(path))

    def replace(self, source: Path, target: Path) -> None:
        self._call("replace", target, lambda: self._real.replace(source, target))

    def put_in_place(self, source: Path, target: Path) -> None:
        self._call("put_in_place", target, lambda: self._real.put_in_place(source, target))

    def remove(self, path: Path) -> None:
        self._call("remove", path, lambda: self._real.remove(path))

    def sync_folder(self, folder: Path) -> None:
        self._call("sync_folder", folder, lambda: self._real.sync_folder(folder))

    @contextmanager
    def hold(self, path: Path) -> Iterator[None]:
        self._call("hold", path, lambda: None)
        with self._real.hold(path):
            yield


class MeanwhileDisk(RealFileOps):
    """The real disk, on which somebody does something just before our file takes its place."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def sync(self, path: Path) -> None:
        super().sync(path)
        self._act()


class KillingDisk(FailingDisk):
    """The real disk, but at the call with this number the process is killed: no handler, no clean-up, no last words."""

    def _fail(self, path: Path) -> None:
        del path
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


@dataclass(frozen=True)
class Write:
    path: Path
    data: bytes


@dataclass(frozen=True)
class Sync:
    path: Path


@dataclass(frozen=True)
class Rename:
    source: Path
    target: Path


@dataclass(frozen=True)
class Remove:
    path: Path


@dataclass(frozen=True)
class SyncFolder:
    folder: Path


@dataclass(frozen=True)
class JournalCommit:
    state: bytes  # the whole database as it is on the disk from now on


Call = Write | Sync | Rename | Remove | SyncFolder | JournalCommit


class LoggingDisk(RealFileOps):
    """The real disk, with a log of everything that changes it."""

    def __init__(self) -> None:
        self.log: list[Call] = []

    def write(self, path: Path, data: Data, *, private: bool) -> None:
        super().write(path, data, private=private)
        self.log.append(Write(path, whole(data)))

    def sync(self, path: Path) -> None:
        super().sync(path)
        self.log.append(Sync(path))

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        self.log.append(Rename(source, target))

    def put_in_place(self, source: Path, target: Path) -> None:
        super().put_in_place(source, target)
        self.log.append(Rename(source, target))

    def remove(self, path: Path) -> None:
        super().remove(path)
        self.log.append(Remove(path))

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        self.log.append(SyncFolder(folder))


@dataclass
class _Content:
    """An inode: what reached the disk, and what was written to it."""

    durable: bytes | None
    written: bytes


@dataclass
class PowerCutDisk:
    """A disk replayed from a log, which knows what is certain to be on it and what may be lost.

    Content is certain once the file was synced; a name made, moved or removed is certain once its folder was synced
    (POSIX promises no more). ``after_power_cut`` gives the states the disk may be in: every choice of the uncertain
    names (or a spread of them where they are many), each with the unsynced content lost, half there and whole.
    """

    names: dict[Path, _Content]
    pending: list[Write | Rename | Remove] = field(default_factory=list)
    inodes: dict[int, _Content] = field(default_factory=dict)  # by position in ``pending``, for files made there
    journal: bytes = b""

    @classmethod
    def of(cls, files: dict[Path, bytes], journal: bytes) -> PowerCutDisk:
        return cls({path: _Content(data, data) for path, data in files.items()}, journal=journal)

    def _current(self, keep: Callable[[int], bool]) -> dict[Path, _Content]:
        names = dict(self.names)
        for number, call in enumerate(self.pending):
            if not keep(number):
                continue
            if isinstance(call, Write):
                names[call.path] = self.inodes[id(call)]
            elif isinstance(call, Rename):
                if call.source in names:
                    names[call.target] = names.pop(call.source)
            else:
                names.pop(call.path, None)
        return names

    def replay(self, call: Call) -> None:
        if isinstance(call, JournalCommit):
            self.journal = call.state
        elif isinstance(call, Sync):
            content = self._current(lambda _: True)[call.path]
            content.durable = content.written
        elif isinstance(call, SyncFolder):
            certain = [c for c in self.pending if _folder(c) == call.folder]
            chosen = {id(c) for c in certain}
            self.names = self._current(lambda number: id(self.pending[number]) in chosen)
            self.pending = [c for c in self.pending if id(c) not in chosen]
        else:
            if isinstance(call, Write):
                self.inodes[id(call)] = _Content(None, call.data)
            self.pending.append(call)

    def after_power_cut(self) -> Iterator[dict[Path, bytes]]:
        seen = set()
        for kept in _choices(len(self.pending)):
            names = self._current(lambda number, kept=kept: number in kept)  # type: ignore[misc]
            for share in (0.0, 0.5, 1.0):
                files = {
                    path: c.durable if c.durable is not None else c.written[: int(len(c.written) * share)]
                    for path, c in names.items()
                }
                key = tuple(sorted((str(path), hash(data)) for path, data in files.items()))
                if key not in seen:
                    seen.add(key)
                    yield files


def _folder(call: Write | Rename | Remove) -> Path:
    return (call.target if isinstance(call, Rename) else call.path).parent


def _choices(count: int) -> Iterator[frozenset[int]]:
    """Every subset of a few; of many, all beginnings, all but one, and each alone."""
    everything = range(count)
    if count <= 4:
        for size in range(count + 1):
            yield from (frozenset(some) for some in itertools.combinations(everything, size))
        return
    yield from (frozenset(range(size)) for size in range(count + 1))
    yield from (frozenset(everything) - {one} for one in everything)
    yield from (frozenset({one}) for one in everything)
