"""The journal as this room uses it: the store's tables, and a lock that lets one Keywright write at a time."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection

from keywright.errors import reason
from keywright.store.database import Store
from keywright.store.intents import settle
from keywright.store.journal import Outcome
from keywright.writeback.base import WriteBackError


class BusyError(WriteBackError):
    """Another Keywright is writing."""


Settled = Callable[[Connection, Sequence[int]], None]
"""Called with the numbers of entries of which it has just been noted what became of them, in that very transaction."""


class Journal:
    """The journal in a store. Its commits reach the disk before ``write`` returns (``synchronous=FULL``).

    ``settled`` keeps what the caller wants to know of the outcomes: no kill comes between them and it.
    """

    def __init__(self, store: Store, settled: Settled = lambda *_: None) -> None:
        self._store = store
        self._settled = settled

    @property
    def lock_file(self) -> Path:
        return self._store.home.folder / "write-back.lock"

    def read(self) -> AbstractContextManager[Connection]:
        return self._store.read()

    def write(self) -> AbstractContextManager[Connection]:
        return self._store.write()

    def settle(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """Note what became of entries."""
        settle(connection, outcomes)
        self._settled(connection, [outcome.entry_id for outcome in outcomes])

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock: no other process or thread applies, undoes or recovers meanwhile.

        The system gives it up when the process ends, however it ends: who holds it and finds an open batch knows that
        the batch's process is no more. Raises ``BusyError`` where another holds it.
        """
        lock = FileLock(self.lock_file)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise BusyError("Another Keywright is writing keywords just now; wait until it has finished.") from None
        except OSError as error:
            raise WriteBackError(f"The lock {self.lock_file} cannot be taken: {reason(error)}.") from error
        try:
            yield
        finally:
            lock.release()


def new_batch_id() -> str:
    """A name for a batch that a person can tell apart and type: when it was begun, and four characters of chance."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
