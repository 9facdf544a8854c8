"""Rows from a digiKam database on a MySQL or MariaDB server, in one read-only transaction.

    mysql://user[:password]@host[:port]/database[?socket=/path][&ssl=1]

The password is looked for in the URL, in KEYWRIGHT_MYSQL_PASSWORD and in the operating system's keyring, in this
order. An account that may only SELECT is enough.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from keywright.catalogs.base import CatalogError
from keywright.catalogs.rows import Row
from keywright.errors import reason

if TYPE_CHECKING:
    import pymysql

SCHEMES = ("mysql", "mariadb")
PASSWORD_VARIABLE = "KEYWRIGHT_MYSQL_PASSWORD"
KEYRING_SERVICE = "keywright-mysql"
_READ = ("AlbumRoots", "Albums", "Images", "ImageInformation", "Tags", "TagProperties", "ImageTags")
_CONNECT_SECONDS, _ANSWER_SECONDS = 10, 120


@dataclass(frozen=True, slots=True)
class Server:
    """Where a database is. ``str()`` is its URL without the password, and is read as the same place again."""

    host: str
    port: int
    user: str
    database: str
    password: str | None = field(default=None, repr=False)
    socket: str | None = None
    ssl: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == 3306 else f":{self.port}"
        options = {"socket": self.socket, "ssl": "1" if self.ssl else None}
        query = urlencode({name: value for name, value in options.items() if value}, safe="/")
        user, database = quote(self.user, safe=""), quote(self.database, safe="")
        return f"mysql://{user}@{host}{port}/{database}" + (f"?{query}" if query else "")


def is_url(source: str) -> bool:
    return source.partition("://")[0].lower() in SCHEMES and "://" in source


def parse_url(url: str) -> Server:
    """Raises ``CatalogError`` where the URL names no user or no database."""
    form = "write it as mysql://user@host/database"
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError as error:
        raise CatalogError(f"the address of the database cannot be understood ({reason(error)}); {form}") from error
    query = parse_qs(parts.query)
    database = unquote(parts.path.strip("/"))
    if not database or not parts.username:
        raise CatalogError(f"the address of the database names no {'user' if database else 'database'}; {form}")
    return Server(
        parts.hostname or "localhost",
        port,
        unquote(parts.username),
        database,
        unquote(parts.password) if parts.password is not None else None,
        query.get("socket", [None])[0],
        query.get("ssl", ["0"])[0] not in ("0", "false", "no"),
    )


def password_for(server: Server) -> str:
    """The password from the URL, the environment or the keyring; "" where there is none."""
    if server.password is not None:
        return server.password
    if (from_environment := os.environ.get(PASSWORD_VARIABLE)) is not None:
        return from_environment
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        return keyring.get_password(KEYRING_SERVICE, str(server)) or ""
    except KeyringError:
        return ""  # a machine without a keyring; the server then says whether a password was needed


class MysqlDatabase:
    """A snapshot of the database: one REPEATABLE READ, READ ONLY transaction, closed with ``close``."""

    def __init__(self, server: Server) -> None:
        self.generation = 0
        self._server = server
        self._connection = self._connect()
        # Long lists of tags must come whole; the server's own limit may be 1024 characters.
        self._run(self._connection, "SET SESSION group_concat_max_len = 1048576, SESSION sql_mode = ''")
        self._run(self._connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self._run(self._connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._run(self._connection, sql.replace("?", "%s"), tuple(parameters))

    def columns(self, table: str) -> frozenset[str]:
        rows = self.rows(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS"
            " WHERE TABLE_SCHEMA = DATABASE() AND LOWER(TABLE_NAME) = LOWER(?)",
            (table,),
        )
        return frozenset(str(row[0]).lower() for row in rows)

    def change_token(self) -> str:
        """The server's checksums of the tables that are read: they are scanned there, and nothing is sent but these."""
        connection = self._connect()  # a transaction of its own: the snapshot's does not see what changed since
        try:
            rows = self._run(connection, f"CHECKSUM TABLE {', '.join(_READ)}")
        finally:
            connection.close()
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:32]

    def close(self) -> None:
        import pymysql

        try:
            self._connection.close()
        except pymysql.Error:
            return  # it was closed, or the server is gone: either way there is nothing left to close

    def _connect(self) -> pymysql.Connection:
        try:
            import pymysql
        except ImportError as error:
            raise CatalogError(
                f"reading {self._server} needs a MySQL driver; install it with: pip install 'keywright[mysql]'"
            ) from error
        server = self._server
        try:
            return pymysql.connect(
                host=server.host,
                port=server.port,
                user=server.user,
                password=password_for(server),
                database=server.database,
                unix_socket=server.socket,
                charset="utf8mb4",
                ssl={} if server.ssl else None,
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_ANSWER_SECONDS,
                write_timeout=_ANSWER_SECONDS,
                autocommit=True,
            )
        except (pymysql.Error, OSError, RuntimeError) as error:
            raise CatalogError(self._sentence(error, connecting=True)) from error

    def _run(self, connection: pymysql.Connection, sql: str, parameters: tuple[object, ...] = ()) -> list[Row]:
        import pymysql

        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return list(cursor.fetchall())
        except (pymysql.Error, OSError) as error:
            raise CatalogError(self._sentence(error)) from error

    def _sentence(self, error: BaseException, connecting: bool = False) -> str:
        code = error.args[0] if error.args else None
        server = self._server
        if code in (1044, 1045, 1698):
            return (
                f"the server at {server.host} refuses {server.user} the database {server.database};"
                f" check the name, and set the password in {PASSWORD_VARIABLE} or in the keyring"
            )
        if code == 1049:
            return (
                f"the server at {server.host} has no database {server.database}; check its name in digiKam's settings"
            )
        if code in (1142, 1143):
            return f"{server.user} may not read all tables of {server}; grant it SELECT on {server.database}.*"
        if connecting:
            return (
                f"the database server {server} cannot be reached ({_text(error)}); check that it runs and its address"
            )
        if code in (0, 2006, 2013) or isinstance(error, OSError):
            return (
                f"the database server {server} went away while it was read; nothing was changed, try again when it runs"
            )
        return f"the database {server} cannot be read: {_text(error)}"


def _text(error: BaseException) -> str:
    return str(error.args[1]) if len(error.args) > 1 else reason(error)
