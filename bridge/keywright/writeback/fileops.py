"""The calls that touch the disk while files are written: few, small, and each a place where a disk may fail.

Everything that writes goes through ``FileOps``, so that a test can log the calls, replay a power cut after each of
them, or let any one of them fail.
"""

from __future__ import annotations

import os
import stat
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from keywright import platform
from keywright.metadata.data import Data, pieces, read_data


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was when it was looked at; equal for the same file untouched."""

    size: int
    mtime_ns: int
    inode: int
    device: int
    links: int
    mode: int

    @property
    def is_regular(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def write_protected(self) -> bool:
        """Whether nobody may write it: its owner has said "leave this as it is"."""
        return not self.mode & 0o222

    def same_file(self, other: Seen | None) -> bool:
        """Whether ``other`` is this very file with the same size and time of change."""
        return other is not None and (self.size, self.mtime_ns, self.inode, self.device) == (
            other.size,
            other.mtime_ns,
            other.inode,
            other.device,
        )


class FileOps(Protocol):
    """All raise ``OSError``. Paths are of real files: symbolic links have been followed before."""

    def look(self, path: Path) -> Seen | None:
        """The file as it is, or None where there is none."""
        ...

    def read(self, path: Path) -> Data:
        """The file's content; a large file is left where it is until its bytes are asked for."""
        ...

    def write(self, path: Path, data: Data, *, private: bool) -> None:
        """Make the file, which must not exist, with this content; readable by the owner alone where ``private``."""
        ...

    def copy_attributes(self, source: Path, path: Path, *, times: bool) -> None:
        """Give the file the owner, permissions and extended attributes of ``source``, and its times if asked."""
        ...

    def sync(self, path: Path) -> None:
        """Return when the file's content has reached the disk. Called from several threads at once."""
        ...

    def replace(self, source: Path, target: Path) -> None:
        """Give ``source`` the name of ``target``, whose file goes away, in one step."""
        ...

    def put_in_place(self, source: Path, target: Path) -> None:
        """Give ``source`` the name ``target``; ``FileExistsError`` where there is such a file."""
        ...

    def remove(self, path: Path) -> None:
        """Take the file away; nothing happens where there is none."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in the folder have reached the disk."""
        ...

    def hold(self, path: Path) -> AbstractContextManager[None]:
        """Keep other programs from beginning to write the file; ``BlockingIOError`` where one is writing it."""
        ...


class RealFileOps:
    """The disk itself."""

    def look(self, path: Path) -> Seen | None:
        try:
            now = platform.system_path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Seen(now.st_size, now.st_mtime_ns, now.st_ino, now.st_dev, now.st_nlink, now.st_mode)

    def read(self, path: Path) -> Data:
        return read_data(path)

    def write(self, path: Path, data: Data, *, private: bool) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(platform.system_path(path), flags, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for piece in pieces(data):
                rest = memoryview(piece)
                while rest:
                    rest = rest[file.write(rest) :]

    def copy_attributes(self, source: Path, path: Path, *, times: bool) -> None:
        platform.copy_attributes(source, path, times=times)

    def sync(self, path: Path) -> None:
        # Windows flushes only what it may write.
        flags = (os.O_RDWR if platform.WINDOWS else os.O_RDONLY) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(platform.system_path(path), flags)
        try:
            platform.sync_file(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        platform.replace(source, target)

    def put_in_place(self, source: Path, target: Path) -> None:
        platform.put_in_place(source, target)

    def remove(self, path: Path) -> None:
        platform.system_path(path).unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        platform.sync_folder(folder)

    def hold(self, path: Path) -> AbstractContextManager[None]:
        return platform.held_against_writers(path)
