"""Connections that write digiKam's database, SQLite or a MySQL server, behind one small interface."""

from __future__ import annotations

import contextlib
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from keywright.catalogs.base import CatalogError
from keywright.catalogs.mysql import Server, is_url, parse_url, password_for
from keywright.errors import reason
from keywright.writeback.base import WriteBackError

if TYPE_CHECKING:
    import pymysql

Rows = list[tuple[Any, ...]]

WAIT = 15.0  # seconds for a lock that digiKam holds; its own transactions take far less
_BACKUPS_KEPT = 5
_SAVED = ("Tags", "TagsTree", "TagProperties", "ImageTags")
_CHILD = Path(__file__).with_name("digikam_child.py")


class DatabaseTroubleError(WriteBackError):
    """The database cannot be read or written now. ``unsure``: it is not known whether the last commit was done."""

    def __init__(self, text: str, *, unsure: bool = False) -> None:
        super().__init__(text)
        self.unsure = unsure


class Session(Protocol):
    """One connection. Statements use ``?`` and only SQL that both engines know; errors are one sentence."""

    source: str
    folds_names: bool  # the server finds "zürich" for "Zurich"; SQLite tells every letter apart

    def run(self, sql: str, parameters: Sequence[object] = ()) -> Rows: ...

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """One transaction, which holds the write lock from its start and is durable at its end."""
        ...

    def backup(self, folder: Path, name: str) -> Path:
        """Copy what Keywright may change into ``folder``; only the newest copies are kept."""
        ...

    def close(self) -> None: ...


@contextmanager
def _transaction(run: Callable[[str], Rows], begin: str) -> Iterator[None]:
    """Committed at the end of the block, rolled back where it fails."""
    run(begin)
    try:
        yield
        run("COMMIT")
    except BaseException:
        with contextlib.suppress(DatabaseTroubleError):
            run("ROLLBACK")
        raise


def open_session(source: str, wait: float = WAIT) -> Session:
    """Connect to ``source``, a path or a ``mysql://`` address. Raises ``DatabaseTroubleError``."""
    if is_url(source):
        try:
            return MysqlSession(parse_url(source))
        except CatalogError as error:
            raise DatabaseTroubleError(str(error)) from error
    return SqliteSession(Path(source), wait)


class SqliteSession:
    """``digikam4.db``, through ``digikam_child``."""

    folds_names = False

    def __init__(self, path: Path, wait: float = WAIT) -> None:
        self.source = str(path)
        if not path.is_file():
            raise DatabaseTroubleError(f"there is no database at {path}; connect the drive it is on")
        self._path = path.resolve()  # SQLite looks for the WAL beside the real file, not beside a link to it
        self._child = subprocess.Popen(
            [sys.executable, "-I", str(_CHILD), str(self._path), str(wait)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        return self._ask({"do": "run", "sql": sql, "with": list(parameters)})

    def writing(self) -> contextlib.AbstractContextManager[None]:
        return _transaction(self.run, "BEGIN IMMEDIATE")

    def backup(self, folder: Path, name: str) -> Path:
        target = _backup_name(folder, name, ".db")
        self._ask({"do": "backup", "to": str(target)})
        _keep_newest(folder, name, ".db")
        return target

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self._child.stdin is not None:
                self._child.stdin.close()
        self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()

    def _ask(self, request: dict[str, object]) -> Rows:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps(request).encode() + b"\n")
            self._child.stdin.flush()
            said = json.loads(self._child.stdout.readline() or b"{}")
        except (OSError, ValueError) as error:
            raise DatabaseTroubleError(self._ended(), unsure=True) from error
        if "error" in said:
            raise DatabaseTroubleError(sqlite_sentence(self.source, said["error"]))
        if "rows" not in said:
            raise DatabaseTroubleError(self._ended(), unsure=True)
        return [tuple(row) for row in said["rows"]]

    def _ended(self) -> str:
        return f"the process that writes {self.source} ended; apply again"


def sqlite_sentence(source: str, error: str) -> str:
    """What SQLite's own words mean for a person."""
    if "locked" in error or "busy" in error:
        return f"the database {source} is locked by another program; wait until digiKam is idle, then apply again"
    if "readonly" in error or "read-only" in error or "unable to open" in error:
        return f"the database {source} may not be written; give yourself write access to it and its folder"
    if "full" in error or "No space" in error:
        return f"there is no room left to write the database {source}; make room and apply again"
    if "malformed" in error or "not a database" in error:
        return f"the database {source} is damaged ({error}); let digiKam check it, or restore it from a backup"
    return f"the database {source} cannot be written: {error}"


class MysqlSession:
    """A database on a MySQL or MariaDB server. The account must be allowed to SELECT, INSERT, UPDATE and DELETE."""

    folds_names = True

    def __init__(self, server: Server) -> None:
        self.source = str(server)
        self._server = server
        try:
            import pymysql
        except ImportError as error:
            raise DatabaseTroubleError(
                f"writing {server} needs a MySQL driver; install it with: pip install 'keywright[mysql]'"
            ) from error
        try:
            self._connection: pymysql.Connection = pymysql.connect(
                host=server.host,
                port=server.port,
                user=server.user,
                password=password_for(server),
                database=server.database,
                unix_socket=server.socket,
                charset="utf8mb4",
                ssl={} if server.ssl else None,
                connect_timeout=10,
                read_timeout=120,
                write_timeout=120,
                autocommit=True,
            )
        except (pymysql.Error, OSError, RuntimeError) as error:
            raise DatabaseTroubleError(self._sentence(error)) from error
        # Strict, so that a name that does not fit is an error and is not cut or changed.
        self.run("SET SESSION sql_mode = 'STRICT_ALL_TABLES', innodb_lock_wait_timeout = 15")
        self.run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def run(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        import pymysql

        sql = sql.replace("INSERT OR IGNORE", "INSERT IGNORE").replace("?", "%s")
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, tuple(parameters) or None)
                return list(cursor.fetchall())
        except (pymysql.Error, OSError) as error:
            raise DatabaseTroubleError(self._sentence(error), unsure=sql == "COMMIT") from error

    def writing(self) -> contextlib.AbstractContextManager[None]:
        return _transaction(self.run, "START TRANSACTION")

    def backup(self, folder: Path, name: str) -> Path:
        """The tables with tags as SQL that puts them back."""
        target = _backup_name(folder, name, ".sql.gz")
        self.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # all tables as they are at one moment
        self.run("START TRANSACTION")
        try:
            with gzip.open(target, "wt", encoding="utf-8") as file:
                # The root tag has the number 0, which the server would take for "give it one" otherwise.
                file.write("SET NAMES utf8mb4; SET FOREIGN_KEY_CHECKS=0, sql_mode='NO_AUTO_VALUE_ON_ZERO';\nBEGIN;\n")
                for table in _SAVED:
                    rows = self.run(f"SELECT * FROM {table}")
                    file.write(f"DELETE FROM {table};\n")
                    for row in rows:
                        values = ", ".join(str(self._connection.escape(value)) for value in row)
                        file.write(f"INSERT INTO {table} VALUES ({values});\n")
                file.write("COMMIT;\n")
        except OSError as error:
            raise DatabaseTroubleError(f"the backup {target} cannot be written: {reason(error)}") from error
        finally:
            with contextlib.suppress(DatabaseTroubleError):
                self.run("ROLLBACK")
        _keep_newest(folder, name, ".sql.gz")
        return target

    def close(self) -> None:
        import pymysql

        with contextlib.suppress(pymysql.Error):
            self._connection.close()

    def _sentence(self, error: BaseException) -> str:
        code = error.args[0] if error.args else None
        said = str(error.args[1]) if len(error.args) > 1 else reason(error)
        server = self._server
        if code in (1142, 1143, 1044, 1370, 1419):
            return (
                f"{server.user} may not write {server}; grant it SELECT, INSERT, UPDATE and DELETE on"
                f" {server.database}.*, and apply again"
            )
        if code in (1045, 1698):
            return f"the server at {server.host} refuses {server.user}; set the password in KEYWRIGHT_MYSQL_PASSWORD"
        if code in (1205, 1213):
            return f"the database {server} is locked by another program; wait until digiKam is idle, then apply again"
        if code in (1290, 1792, 1836):
            return f"the database {server} is read-only; apply again when the server lets it be written"
        if code in (0, 2003, 2006, 2013) or isinstance(error, OSError):
            return f"the database server {server} went away; apply again when it runs, and what is missing is written"
        return f"the database {server} cannot be written: {said}"


def _backup_name(folder: Path, name: str, suffix: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseTroubleError(f"the folder for backups {folder} cannot be made: {reason(error)}") from error
    return folder / f"{name}-{datetime.now():%Y%m%d-%H%M%S-%f}{suffix}"


def _keep_newest(folder: Path, name: str, suffix: str) -> None:
    for old in sorted(folder.glob(f"{name}-*{suffix}"))[:-_BACKUPS_KEPT]:
        old.unlink(missing_ok=True)
