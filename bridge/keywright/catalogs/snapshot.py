"""Reads a SQLite database that another program may have open, without changing a byte of it or beside it.

An ordinary read-only SQLite connection is not harmless: in WAL mode it makes a ``-shm`` file beside the database, in
rollback mode its lock keeps the owner from committing, and it cannot read past a hot journal. So:

* where no ``-wal`` and no hot ``-journal`` lies beside it, the database is read in place with ``immutable=1``: no lock,
  no file, nothing to copy, however large it is. After every read the file's state is compared with the state at
  the start. If the owner came in meanwhile, what was read is thrown away, and
* the database is copied with its ``-wal`` or ``-journal`` into a private folder, where SQLite replays or rolls back.

Why the copy is consistent. A writer in WAL mode appends to the WAL, and a checkpoint writes into the database only
pages that the WAL holds. Copied first the database, then the WAL, every page a checkpoint may have been writing is in
the copied WAL and overrides it, as long as the WAL was not started afresh between the two; its header (with two salts)
tells. A rollback journal holds the old text of every page its transaction touches, synced before the page is written;
as long as the journal at the end is the one of the start (its header has a nonce), the copy rolls back cleanly. Where
the header changed, or the journal came or went, the copy is thrown away and made again.
https://www.sqlite.org/fileformat2.html#walformat, #the_rollback_journal
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from keywright.catalogs.base import CatalogError
from keywright.catalogs.rows import Row
from keywright.errors import reason

MAGIC = b"SQLite format 3\x00"
_LOCK_BYTES = 0x40000000  # SQLite keeps locks here, never data; on Windows a locked range cannot even be read
_LOCK_LENGTH = 1024
_BLOCK = 1 << 22
_ATTEMPTS = 8
_PAUSE = 0.25  # seconds between attempts: longer than a checkpoint of a few thousand pages takes


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells one state of a database from the next, read from the file system and a few header bytes."""

    size: int
    modified: int  # nanoseconds
    inode: int
    header: bytes  # the database's first 100 bytes: page size, page count, change counter
    wal: bytes  # the WAL's header and length, b"" without one
    journal: bytes  # the rollback journal's header, b"" where there is none or it is not hot

    @property
    def at_rest(self) -> bool:
        """Whether the database file alone is the whole truth."""
        return not self.wal and not self.journal

    def token(self) -> str:
        parts = (self.size, self.modified, self.header, self.wal, self.journal)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def file_state(path: Path) -> FileState:
    """The state now. Raises ``OSError`` where the database cannot be read."""
    with path.open("rb") as file:
        header = file.read(100)
    # After the header: a writer that changes the file later than this also changes its time or its size.
    stat = path.stat()
    return FileState(
        stat.st_size, stat.st_mtime_ns, stat.st_ino, header, _wal_state(path), _hot_journal(beside(path, "-journal"))
    )


def _wal_state(path: Path) -> bytes:
    wal = beside(path, "-wal")
    head = _head(wal, 32)
    if not head:
        return b""
    stat = wal.stat()
    return head + b"%d %d" % (stat.st_size, stat.st_mtime_ns)


def _hot_journal(path: Path) -> bytes:
    """The journal's header, unless it was left empty or zeroed, which is how some programs end a transaction."""
    head = _head(path, 28)
    return head if any(head) else b""


def _head(path: Path, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(length)
    except FileNotFoundError:
        return b""


class SqliteSnapshot:
    """Rows of a SQLite database as they were at one moment.

    ``generation`` grows when the owner's changes forced a new snapshot: what was derived from earlier rows may be
    stale then. ``noun`` names the database in sentences ("catalog", "database").
    """

    def __init__(self, path: Path, noun: str) -> None:
        self.path = path
        self.generation = 0
        self._file = path.resolve()  # SQLite looks for the WAL beside the real file, not beside a link to it
        self._noun = noun
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._connection: sqlite3.Connection | None = None
        self._state: FileState | None = None  # of the file read in place; None when a private copy is read

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of a query. Raises ``CatalogError`` where the database is damaged or never comes to rest."""
        for _ in range(_ATTEMPTS):
            if self._connection is None:
                self._open()
            try:
                rows = self._query(sql, parameters)
            except sqlite3.Error as error:
                if self._unchanged():
                    raise self._damaged(error) from error
            else:
                if self._unchanged():
                    return rows
            self._forget()
        raise CatalogError(self._restless())

    def columns(self, table: str) -> frozenset[str]:
        """The column names of a table, in lower case; empty where there is no such table."""
        return frozenset(str(row[1]).lower() for row in self.rows(f'PRAGMA table_info("{table}")'))

    def close(self) -> None:
        self._disconnect()
        self._state = None

    def _query(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        assert self._connection is not None
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if "decode to UTF-8" not in str(error):
                raise
        # Slower, and needed only for the rare name that is not valid text: its bytes come back with os.fsencode.
        self._connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        try:
            return self._connection.execute(sql, parameters).fetchall()
        finally:
            self._connection.text_factory = str

    def _unchanged(self) -> bool:
        if self._state is None:
            return True
        try:
            return file_state(self._file) == self._state
        except OSError:
            return False

    def _forget(self) -> None:
        """The owner changed the file while it was read in place: from now on read a copy."""
        self._disconnect()
        self._state = None
        self.generation += 1
        self._copy()

    def _open(self) -> None:
        try:
            state = file_state(self._file)
        except OSError as error:
            raise CatalogError(unreadable(self.path, self._noun, error)) from error
        self._refuse_foreign(state)
        if state.at_rest:
            self._state = state
            self._connect(self._file, "mode=ro&immutable=1")
        else:
            self._copy()

    def _refuse_foreign(self, state: FileState) -> None:
        if state.size == 0:
            raise CatalogError(f"the {self._noun} {self.path} is an empty file; restore it from a backup")
        if not state.header.startswith(MAGIC):
            raise CatalogError(
                f"{self.path} is not a SQLite database (it may be damaged or encrypted);"
                f" name another {self._noun} or restore it from a backup"
            )
        page_size = int.from_bytes(state.header[16:18], "big")
        page_size = 65536 if page_size == 1 else page_size
        pages = int.from_bytes(state.header[28:32], "big")
        counted = state.header[24:28] == state.header[92:96]  # else an old SQLite left the page count stale
        if state.at_rest and counted and state.size < pages * page_size:
            raise CatalogError(
                f"the {self._noun} {self.path} is cut short ({state.size} of {pages * page_size} bytes);"
                " restore it from a backup"
            )

    def _connect(self, path: Path, query: str) -> None:
        try:
            self._connection = sqlite3.connect(
                f"{sqlite_uri(path)}?{query}", uri=True, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA query_only=1")
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def _copy(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="keywright-", ignore_cleanup_errors=True)
        self._folder = folder
        target = Path(folder.name, "snapshot.db")
        try:
            copied = copy_at_rest(self._file, target)
        except OSError as error:
            self._disconnect()
            raise CatalogError(
                f"the {self._noun} {self.path} is open in another program and cannot be copied to {folder.name}"
                f" to be read undisturbed: {reason(error)}; make room there or close the other program"
            ) from error
        if not copied:
            self._disconnect()
            raise CatalogError(self._restless())
        self._connect(target, "mode=rw")

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _damaged(self, error: sqlite3.Error) -> CatalogError:
        return CatalogError(
            f"the {self._noun} {self.path} is damaged or encrypted ({reason(error)});"
            " let its own program check and repair it, or restore it from a backup"
        )

    def _restless(self) -> str:
        return f"the {self._noun} {self.path} is being changed all the time; try again when its own program is idle"


def copy_at_rest(source: Path, target: Path, between: Callable[[], None] = lambda: None) -> bool:
    """Copy a database with its WAL or journal so that the copy is the state of one moment; False when it never is.

    ``between`` is called after the database and before its journals are copied, which is when a test lets the owner
    write. Raises ``OSError`` where a file cannot be read or written.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        before = file_state(source)
        for suffix in ("-wal", "-journal", ""):
            beside(target, suffix).unlink(missing_ok=True)
        _copy_file(source, target)
        between()
        if before.wal:
            with suppress(FileNotFoundError):
                _copy_file(beside(source, "-wal"), beside(target, "-wal"))
        if before.journal:
            with suppress(FileNotFoundError):
                _copy_file(beside(source, "-journal"), beside(target, "-journal"))
        after = file_state(source)
        if _same_moment(before, after) and (before.wal[:32] == _head(beside(target, "-wal"), 32)):
            return True
    return False


def _same_moment(before: FileState, after: FileState) -> bool:
    if before.inode != after.inode:
        return False
    if before.wal:
        return before.wal[:32] == after.wal[:32]
    if before.journal:
        # The first 12 bytes hold a count that grows; the rest is the transaction's nonce and the old page count.
        return before.journal[12:] == after.journal[12:] and not after.wal
    return before == after


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as reader, target.open("wb") as writer:
        _copy_range(reader, writer, _LOCK_BYTES)
        reader.seek(0, 2)
        if reader.tell() > _LOCK_BYTES + _LOCK_LENGTH:
            reader.seek(_LOCK_BYTES + _LOCK_LENGTH)
            writer.seek(_LOCK_BYTES + _LOCK_LENGTH)
            _copy_range(reader, writer, None)


def _copy_range(reader: BinaryIO, writer: BinaryIO, until: int | None) -> None:
    while block := reader.read(_BLOCK if until is None else min(_BLOCK, until - reader.tell())):
        writer.write(block)


def change_token(path: Path, noun: str) -> str:
    """Differs whenever anything in the database was changed, also in its WAL; costs a few hundred bytes of reading."""
    try:
        return file_state(path.resolve()).token()
    except OSError as error:
        raise CatalogError(unreadable(path, noun, error)) from error


def sqlite_uri(path: Path) -> str:
    """An absolute path as SQLite's ``file:`` URI; a Windows share keeps its two slashes inside the path part."""
    text = path.as_posix()
    return "file://" + quote(os.fsencode(text if text.startswith("/") else "/" + text), safe="/:")


def unreadable(path: Path, noun: str, error: OSError) -> str:
    """The sentence for a database or catalog that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return f"there is no {noun} at {path}; check the name, or connect the drive it is on"
    if isinstance(error, PermissionError):
        return f"the {noun} {path} may not be read (permission denied); give yourself read access to it"
    return f"the {noun} {path} cannot be read: {reason(error)}; check its name and the drive it is on"
