"""Running the bridge: one for each user's home, found by its connection file, ended cleanly.

The lock tells whether a bridge runs; the system gives it up when the process ends, however it ends. The connection
file tells where. A second start finds the first and says so.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from waitress import wasyncore
from waitress.server import create_server

from keywright import __version__
from keywright.config import Config
from keywright.errors import KeywrightError, reason
from keywright.home import Home
from keywright.operations.workspace import Workspace
from keywright.platform import WINDOWS, write_private
from keywright.service import http, limits
from keywright.service.app import SAFE_HEADERS, create_app
from keywright.service.bridge import Bridge
from keywright.service.queue import Queue
from keywright.service.settler import Settler
from keywright.service.watcher import Watcher
from keywright_plugin.connection import PROTOCOL, Connection, connection_file, find_bridge, read_connection

log = logging.getLogger(__name__)

CONNECTIONS = 400 if WINDOWS else 800
"""Connections that may be open at once; Windows' select takes 512 at most."""
_IDLE_SECONDS = 60
_OTHER_STARTS_SECONDS = 15.0


class AlreadyRunningError(KeywrightError):
    """A bridge runs for this home; ``connection`` is its."""

    def __init__(self, connection: Connection, version: str) -> None:
        super().__init__(f"Keywright {version} is running already at {connection.url} (process {connection.pid}).")
        self.connection = connection


def check_address(host: str, *, beyond: bool) -> None:
    """Raises ``KeywrightError`` for an address that others could reach, unless told twice."""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise KeywrightError(f"{host} is no address; name one such as 127.0.0.1.") from error
    if not loopback and not beyond:
        raise KeywrightError(
            f"{host} is not loopback: everyone on the network could reach the bridge. "
            "Add --beyond-this-machine if that is what you want; the connection is not encrypted."
        )


@contextlib.contextmanager
def only_bridge(home: Home) -> Iterator[None]:
    """Inside the block this process is the bridge of the home. Raises ``AlreadyRunningError`` where another is."""
    home.prepare()
    lock = FileLock(home.folder / "bridge.lock")
    deadline = time.monotonic() + _OTHER_STARTS_SECONDS
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            found = find_bridge(home.folder)
            if found is not None:
                raise AlreadyRunningError(found[0], found[1].version) from None
            if time.monotonic() > deadline:
                raise KeywrightError(
                    f"Another Keywright holds {lock.lock_file} but does not answer; end that process and start again."
                ) from None
            time.sleep(0.05)  # it is just starting, or just ending
    try:
        yield
    finally:
        lock.release()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ``KeywrightError`` where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if WINDOWS:
            # There SO_REUSEADDR would let another program take our port over.
            made.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", -5), 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(1024)
    except OSError as error:
        made.close()
        raise KeywrightError(
            f"The bridge cannot listen on {host} port {port} ({reason(error)}); choose another with --port."
        ) from error
    return made


def listen_again(home: Home, host: str, port: int) -> socket.socket:
    """As ``listen``. Where any port will do, the one of the last time is tried first, so that pages which are still
    open in a browser find the bridge again and send what they kept."""
    file = home.folder / "last_port"
    made = None
    if port == 0:
        with contextlib.suppress(OSError, ValueError, OverflowError, KeywrightError):
            made = listen(host, int(file.read_text(encoding="ascii")))
    made = made or listen(host, port)
    with contextlib.suppress(OSError):
        file.write_text(str(made.getsockname()[1]), encoding="ascii")
    return made


class RunningBridge:
    """A bridge that listens; ``run`` answers until ``stop``."""

    def __init__(self, home: Home, config: Config) -> None:
        self._stopped = threading.Event()
        self._home = home
        self.workspace = Workspace.open(home)
        self.queue = Queue(self.workspace, home.folder / "worker.log")
        try:
            made = listen_again(home, config.service.host, config.service.port)
        except KeywrightError:
            self.workspace.close()
            raise
        self.bridge = Bridge(
            self.workspace,
            self.queue,
            secrets.token_urlsafe(32),
            config.service.host,
            int(made.getsockname()[1]),
            config,
            self.stop,
        )
        self.settler = Settler(self.workspace)
        self.watcher = Watcher(self.workspace, self.queue, config.watch)
        self._lines: dict[int, Any] = {}
        self._server = create_server(
            create_app(self.bridge),
            map=self._lines,
            sockets=[made],
            threads=config.service.threads,
            connection_limit=CONNECTIONS,
            channel_timeout=_IDLE_SECONDS,
            cleanup_interval=10,
            max_request_body_size=max(limits.MOST_PICTURE_BYTES, limits.MOST_MODEL_BYTES) + 1,
            max_request_header_size=32768,
            # What has come in is never kept on the way: a body above this goes to a temporary file.
            inbuf_overflow=1 << 20,
            asyncore_use_poll=not WINDOWS,
            clear_untrusted_proxy_headers=True,
            ident="Keywright",
            expose_tracebacks=False,
        )
        server: Any = self._server
        server.channel_class = http.channel(self.bridge.guard.knows, SAFE_HEADERS)
        self.connection = Connection(
            self.bridge.host, self.bridge.port, self.bridge.token, os.getpid(), __version__, PROTOCOL
        )

    def run(self, ready: Callable[[Connection], None] = lambda _: None) -> None:
        """Answer until told to stop; the connection file is there meanwhile."""
        self.settler.start()
        self.queue.start()
        self.watcher.start()
        file = connection_file(self._home.folder)
        write_private(file, self.connection.to_text())
        try:
            ready(self.connection)
            self._answer()
        finally:
            self._stopped.set()
            known = read_connection(self._home.folder)
            if known is not None and known.token == self.connection.token:
                file.unlink(missing_ok=True)
            wasyncore.close_all(self._lines, ignore_all=True)
            self.watcher.close()
            self.queue.close()
            self.settler.close()
            self.bridge.close()
            self.workspace.close()

    def stop(self) -> None:
        """End ``run`` soon; from any thread."""
        if not self._stopped.is_set():
            self._stopped.set()
            trigger: Any = getattr(self._server, "trigger")  # noqa: B009 - the stubs take it for a number
            # The loop may have come round by itself, seen the flag, and closed the trigger already.
            with suppress(OSError):
                trigger.pull_trigger()

    def _answer(self) -> None:
        """waitress's own loop, one turn at a time, so that it can be ended from any thread."""
        while not self._stopped.is_set():
            wasyncore.loop(timeout=30.0, use_poll=not WINDOWS, map=self._lines, count=1)
        self._server.task_dispatcher.shutdown()


def serve(home: Home, config: Config, ready: Callable[[Connection], None]) -> None:
    """Be the bridge of this home until a signal or the API ends it. Raises ``AlreadyRunningError``."""
    with only_bridge(home):
        write_log(home.folder / "bridge.log")
        running = RunningBridge(home, config)
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, lambda *_: running.stop())
        running.run(ready)


def write_log(file: Path) -> None:
    handler = RotatingFileHandler(file, maxBytes=1 << 20, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for other in root.handlers:  # the terminal is shown no more than before
        other.setLevel(max(other.level, root.level))
    root.addHandler(handler)
    root.setLevel(min(root.level, logging.INFO))
    for noisy in ("alembic", "waitress.queue"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
