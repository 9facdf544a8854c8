"""A real bridge on a real port for tests, and a client that can send what no well-behaved client would."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keywright.config import Config
from keywright.home import Home
from keywright.service.server import RunningBridge
from keywright_plugin import Client, Connection


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The last part of a problem's type."""
        return str(self.json["type"]).rpartition(":")[2]


@dataclass(frozen=True)
class Raw:
    """Sends exactly what a test says; with the token where ``token`` is not None."""

    connection: Connection
    bridge: RunningBridge

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        media: str = "application/json",
        timeout: float = 20,
    ) -> Answer:
        """``token`` "" is the right one."""
        sent = {"Authorization": f"Bearer {token or self.connection.token}"} if token is not None else {}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = media
        sent |= dict(headers or {})
        line = http.client.HTTPConnection(self.connection.host, self.connection.port, timeout=timeout)
        try:
            line.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
            for name, value in sent.items():
                line.putheader(name, value)
            if data is not None:
                line.putheader("Content-Length", str(len(data)))
            line.endheaders(data)
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            line.close()

    def socket(self) -> socket.socket:
        return socket.create_connection((self.connection.host, self.connection.port), timeout=60)

    @property
    def client(self) -> Client:
        return Client(self.connection)


@contextmanager
def running(home: Path, config: Config | None = None) -> Iterator[Raw]:
    """A bridge in a thread of this process, listening on a free port; it ends with the block."""
    bridge = RunningBridge(Home(home), config or Config())
    ready = threading.Event()
    thread = threading.Thread(target=lambda: bridge.run(lambda _: ready.set()), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield Raw(bridge.connection, bridge)
    finally:
        bridge.stop()
        thread.join(60)
        assert not thread.is_alive()
