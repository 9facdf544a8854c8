"""One request to the bridge: the standard library alone, so that a front-end brings nothing else along.

What was sent and not answered is sent again only where that is safe: reading, and requests with an idempotency key.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from keywright_plugin.connection import Connection
from keywright_plugin.errors import ProblemError, UnreachableError

T = TypeVar("T")

TRIES = 3
_PAUSES = (0.1, 0.5)
_AT_ONCE = 5000  # photos of one request
_MOST_ANSWER = 256 << 20
FILE = "application/octet-stream"


class Wire:
    """Talks to one bridge. Every method raises ``BridgeError``: ``ProblemError`` where the bridge refuses,
    ``UnreachableError`` where it does not answer within ``timeout`` seconds."""

    def __init__(
        self, connection: Connection, timeout: float = 30.0, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._connection = connection
        self._timeout = timeout
        self._pause = pause

    def request(
        self, method: str, path: str, body: object = None, *, key: str | None = None, safe: bool = False
    ) -> dict[str, Any]:
        """One request of the API. ``safe``: sending it twice does no harm, so it is sent again where it failed."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Idempotency-Key": key} if key else {}
        again = safe or key is not None or method == "GET"
        return self.send(method, path, data, "application/json" if data is not None else None, headers, safe=again)

    def send(
        self, method: str, path: str, data: bytes | None, media: str | None, headers: dict[str, str], *, safe: bool
    ) -> dict[str, Any]:
        """A body of any media type, for JSON."""
        told = self._send(method, path, data, media, headers, safe=safe)
        try:
            found = json.loads(told or b"{}")
        except ValueError as error:
            raise self._no_keywright() from error
        if not isinstance(found, dict):
            raise self._no_keywright()
        return found

    def fetch(self, path: str) -> bytes:
        """An answer that is a file."""
        return self._send("GET", path, None, None, {"Accept": FILE}, safe=True)

    def lines(self, path: str) -> Iterator[bytes]:
        """The lines of an answer that is streamed, each as it comes."""
        line = http.client.HTTPConnection(self._connection.host, self._connection.port, timeout=self._timeout)
        try:
            line.request("GET", path, headers={"Authorization": f"Bearer {self._connection.token}"})
            answer = line.getresponse()
            if answer.status >= 400:
                raise self._refused(answer.status, answer.reason, answer.read(_MOST_ANSWER))
            while text := answer.readline():
                yield text.rstrip(b"\n")
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(
                f"Keywright went away while it was listened to at {self._connection.url}."
            ) from error
        finally:
            line.close()

    def _refused(self, status: int, reason: str, told: bytes) -> ProblemError:
        try:
            problem = json.loads(told or b"{}")
            kind = str(problem.get("type", "")).rpartition(":")[2]
        except (ValueError, AttributeError) as error:
            raise self._no_keywright() from error
        return ProblemError(status, kind, str(problem.get("detail", reason)), problem.get("errors", ()))

    def _no_keywright(self) -> UnreachableError:
        return UnreachableError(f"What answers at {self._connection.url} is no Keywright.")

    def _send(
        self, method: str, path: str, data: bytes | None, media: str | None, headers: dict[str, str], *, safe: bool
    ) -> bytes:
        known = {"Authorization": f"Bearer {self._connection.token}", "Accept": "application/json", **headers}
        if media is not None:
            known["Content-Type"] = media
        for attempt in range(TRIES if safe else 1):
            if attempt:
                self._pause(_PAUSES[min(attempt, len(_PAUSES)) - 1])
            try:
                return self._once(method, path, data, known)
            except (OSError, http.client.HTTPException) as error:
                failed = error
        raise UnreachableError(
            f"Keywright does not answer at {self._connection.url} ({failed or type(failed).__name__}); "
            "it may have been ended, try again."
        ) from failed

    def _once(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> bytes:
        line = http.client.HTTPConnection(self._connection.host, self._connection.port, timeout=self._timeout)
        try:
            line.request(method, path, body=data, headers=headers)
            answer = line.getresponse()
            told = answer.read(_MOST_ANSWER)
        finally:
            line.close()
        if answer.status >= 400:
            raise self._refused(answer.status, answer.reason, told)
        return told

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """``query``: what stands behind the ?; what is ``None`` is left out."""
        told = {name: value for name, value in query.items() if value is not None}
        return self.request("GET", f"{path}?{urlencode(told)}" if told else path)

    def pages(self, path: str, name: str, **query: object) -> Iterator[dict[str, Any]]:
        """Everything of a list that comes in pages."""
        after: int | None = 0
        while after is not None:
            told = self.get(path, after=after, **query)
            yield from told[name]
            after = told["next"]


def parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def said(**values: object) -> dict[str, object]:
    """What was said; ``None`` says nothing."""
    return {name: value for name, value in values.items() if value is not None}
