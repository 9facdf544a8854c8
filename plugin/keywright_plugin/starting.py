"""Finding the bridge, or starting it so that it outlives whoever asked; an old bridge is replaced by a newer one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from keywright_plugin.connection import PROTOCOL, Connection, find_bridge, read_connection
from keywright_plugin.errors import TooOldError, UnreachableError
from keywright_plugin.platform import detached

START_SECONDS = 20.0


def command() -> list[str]:
    """How the bridge is started: ``KEYWRIGHT_COMMAND``, else the Python this runs under."""
    chosen = os.environ.get("KEYWRIGHT_COMMAND")
    if chosen:
        return [chosen, "serve"]
    return [sys.executable, "-m", "keywright", "serve"]


def ensure_bridge(
    home: Path | None = None, wait: float = START_SECONDS, run: Sequence[str] | None = None
) -> Connection:
    """The connection to a running bridge that speaks this protocol, started where none runs.

    A bridge of an older protocol is asked to end and replaced. Raises ``UnreachableError`` where it does not come up
    within ``wait`` seconds, ``TooOldError`` where the bridge is newer than this front-end.
    """
    found = find_bridge(home)
    if found is not None:
        connection, told = found
        if told.protocol == PROTOCOL:
            return connection
        if told.protocol > PROTOCOL:
            raise TooOldError(
                f"The bridge is Keywright {told.version}, newer than this plug-in; "
                "run `keywright install` again to bring the plug-in up to date."
            )
        _end(connection, home)
    start = list(run or command())
    environment = dict(os.environ)
    if home is not None:
        environment["KEYWRIGHT_HOME"] = str(home)
    try:
        process = subprocess.Popen(start, env=environment, **detached())
    except OSError as error:
        raise UnreachableError(
            f"Keywright cannot be started ({error.strerror or error}); check that {start[0]} is installed."
        ) from error
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        found = find_bridge(home, timeout=1.0)
        if found is not None and found[1].protocol == PROTOCOL:
            return found[0]
        code = process.poll()
        if code not in (None, 0):
            break
        time.sleep(0.05)
    raise UnreachableError(
        f"Keywright was started with {' '.join(start)} but does not answer; run that in a terminal to see why."
    )


def _end(connection: Connection, home: Path | None) -> None:
    from keywright_plugin.client import Client

    Client(connection).shut_down()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        now = read_connection(home)
        if now is None or now.pid != connection.pid or find_bridge(home) is None:
            return
        time.sleep(0.05)
