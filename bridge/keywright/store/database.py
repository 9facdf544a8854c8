"""Opening the store: one SQLite database in write-ahead mode, brought to the newest schema, safe for several processes.

Reading and writing go through ``Store.read`` and ``Store.write``. A write takes the write lock at its beginning
(``BEGIN IMMEDIATE``), so two processes wait for each other rather than fail half-way.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from keywright.errors import KeywrightError, reason
from keywright.home import Home

HEAD = "0012"
"""The newest revision in ``migrations/versions``; a test holds the two together."""

BUSY_SECONDS = 60


class StoreError(KeywrightError):
    """The store cannot be opened or written; the sentence says why."""


class Store:
    """The open store of one Keywright home."""

    def __init__(self, home: Home, engine: Engine) -> None:
        self.home = home
        self.engine = engine
        self._watch: sqlite3.Connection | None = None
        self._watch_lock = threading.Lock()

    @classmethod
    def open(cls, home: Home) -> Store:
        """Open the store, making or migrating it where that is needed.

        Raises ``StoreError`` where the file is not ours, is newer than this Keywright, or cannot be read or written.
        """
        home.prepare()
        engine = make_engine(f"sqlite:///{home.database}")
        try:
            bring_up_to_date(engine)
        except (DatabaseError, sqlite3.DatabaseError) as error:
            engine.dispose()
            cause = error.orig if isinstance(error, DatabaseError) and error.orig else error
            raise StoreError(
                f"Keywright's own database {home.database} cannot be used ({reason(cause)}); "
                "restore it from a backup, or move it away to begin anew."
            ) from error
        return cls(home, engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the store from beginning to end."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection that holds the write lock; commits at the end, rolls back on an exception."""
        with self.engine.connect() as plain:
            connection = plain.execution_options(keywright_write=True)
            try:
                with connection.begin():
                    yield connection
            except OperationalError as error:
                text = reason(error.orig) if error.orig else str(error)
                if "full" in text or "locked" in text or "readonly" in text or "disk I/O" in text:
                    raise StoreError(
                        f"Keywright's own database {self.home.database} cannot be written: {text}."
                    ) from error
                raise

    def generation(self) -> int:
        """Another number once anything was written since it was last asked, by this process or another.

        Found in microseconds: the database tells it of itself to a connection that only looks on.
        """
        with self._watch_lock:
            if self._watch is None:
                self._watch = sqlite3.connect(
                    self.home.database, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
                )
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        with self._watch_lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def make_engine(url: str) -> Engine:
    """An engine whose connections are durable (``synchronous=FULL``), concurrent (WAL) and check foreign keys."""
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling begins too late for BEGIN IMMEDIATE; see "begin" below.
        connection.isolation_level = None
        write_ahead(connection)
        cursor = connection.cursor()
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("keywright_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def write_ahead(
    connection: sqlite3.Connection, seconds: float = BUSY_SECONDS, pause: Callable[[float], None] = time.sleep
) -> None:
    """Bring the database into write-ahead mode, waiting up to ``seconds`` for other processes.

    The mode stays with the file, so only the first opening changes anything. That change needs the file alone, and
    SQLite does not apply its busy timeout to it: two processes that make one store together would refuse each other.

    Raises ``sqlite3.OperationalError`` where the database stays busy, or is none.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                raise
        pause(random.uniform(0.01, 0.05))  # at different times, or two would meet again and again


def bring_up_to_date(engine: Engine) -> None:
    """Run the migrations that are missing; a store that is up to date costs one query and no import of alembic."""
    if _revision(engine) == HEAD:
        return
    from keywright.store.migrate import upgrade

    with engine.connect() as plain:
        connection = plain.execution_options(keywright_write=True)
        with connection.begin():
            # Asked again under the lock: another process may have been quicker.
            upgrade(connection)


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        known = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").first()
        if known is None:
            return None
        row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
        return None if row is None else str(row[0])
