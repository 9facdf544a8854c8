"""A process of its own that holds the connection to digiKam's SQLite database while Keywright writes there.

SQLite's locks belong to the process, and on Linux and macOS the system drops all of them as soon as the process closes
any other handle of the same file. Keywright's reader opens and closes such handles whenever it likes, in other threads
too. So the connection that writes lives here, where nobody else opens anything. One JSON object a line comes in on
stdin, one a line goes out on stdout.

When Keywright is killed, stdin ends and what was not committed is rolled back. Needs the standard library alone, and
is run as a file.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from typing import Any
from urllib.parse import quote


def answer(connection: sqlite3.Connection, request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "run":
        cursor = connection.execute(request["sql"], request["with"])
        return {"rows": cursor.fetchall()}
    if request["do"] == "backup":
        target = sqlite3.connect(request["to"])
        try:
            connection.backup(target)
        finally:
            target.close()
        with open(request["to"], "rb+") as file:  # noqa: PTH123
            os.fsync(file.fileno())
        return {"rows": []}
    raise ValueError(request["do"])


def main() -> None:
    path, timeout = sys.argv[1], float(sys.argv[2])
    address = "file://" + quote(os.fsencode(path if path.startswith("/") else "/" + path.replace("\\", "/")), safe="/:")
    connection: sqlite3.Connection | None = None
    for line in sys.stdin.buffer:
        try:
            if connection is None:
                connection = sqlite3.connect(f"{address}?mode=rw", uri=True, isolation_level=None, timeout=timeout)
                connection.execute("PRAGMA synchronous=FULL")
            said = answer(connection, json.loads(line))
        except sqlite3.Error as error:
            said = {"error": str(error)}
        except OSError as error:
            said = {"error": error.strerror or str(error)}
        sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")
        sys.stdout.buffer.flush()
    if connection is not None:
        if connection.in_transaction:
            connection.rollback()
        connection.close()


if __name__ == "__main__":
    main()
