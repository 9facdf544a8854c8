"""The connection file: where the bridge listens and the token it wants, in a file that only the user can read.

The bridge writes it, the front-ends read it. A file may be left over from a bridge that was killed, and another
program may listen on its port by now; so before the token is sent anywhere, ``is_genuine`` asks whoever answers to
prove that it knows the token.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from keywright_plugin.platform import belongs_to_me_alone, data_folder, is_alive

FILE_NAME = "bridge.json"
PROTOCOL = 1
"""Raised when a front-end of before could not talk to the bridge any more."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a bridge."""

    host: str
    port: int
    token: str
    pid: int
    version: str
    protocol: int

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def to_text(self) -> str:
        return json.dumps(asdict(self) | {"url": self.url}, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class Ping:
    """What a bridge says of itself to anyone who asks."""

    version: str
    protocol: int
    genuine: bool  # it has proved that it knows the token of the connection file


def connection_file(home: Path | None = None) -> Path:
    return (home or data_folder()) / FILE_NAME


def read_connection(home: Path | None = None) -> Connection | None:
    """The connection as the file has it, or ``None`` where there is none, it is damaged, or others can read it."""
    path = connection_file(home)
    try:
        if not belongs_to_me_alone(path):
            return None
        told = json.loads(path.read_text(encoding="utf-8"))
        found = Connection(
            host=str(told["host"]),
            port=int(told["port"]),
            token=str(told["token"]),
            pid=int(told["pid"]),
            version=str(told["version"]),
            protocol=int(told["protocol"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.token and 0 < found.port < 65536 else None


def proof(token: str, nonce: str) -> str:
    """What only somebody who knows the token can answer to a nonce."""
    return hmac.new(token.encode(), b"keywright ping " + nonce.encode(), hashlib.sha256).hexdigest()


def ping(connection: Connection, timeout: float = 2.0) -> Ping | None:
    """Ask who listens there; ``None`` where nobody answers, or no Keywright does. The token is not sent."""
    nonce = secrets.token_hex(16)
    line = http.client.HTTPConnection(connection.host, connection.port, timeout=timeout)
    try:
        line.request("GET", f"/ping?nonce={nonce}")
        answer = line.getresponse()
        told = json.loads(answer.read(65536))
        if answer.status != 200 or told["name"] != "keywright":
            return None
        given = str(told.get("proof") or "")
        genuine = hmac.compare_digest(given.encode(), proof(connection.token, nonce).encode())
        return Ping(str(told["version"]), int(told["protocol"]), genuine)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        line.close()


def find_bridge(home: Path | None = None, timeout: float = 2.0) -> tuple[Connection, Ping] | None:
    """The bridge that runs for this user, or ``None``; a file that a killed bridge left behind is recognised."""
    connection = read_connection(home)
    if connection is None or not is_alive(connection.pid):
        return None
    told = ping(connection, timeout)
    return (connection, told) if told is not None and told.genuine else None
