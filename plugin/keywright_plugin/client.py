"""The typed client of the bridge: the standard library alone, so that a front-end brings nothing else along.

What was sent and not answered is sent again only where that is safe: reading, and requests with an idempotency key.
"""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from keywright_plugin.connection import Connection
from keywright_plugin.errors import ProblemError, UnreachableError
from keywright_plugin.values import (
    Catalog,
    DecisionMade,
    HostReport,
    Job,
    PendingPhoto,
    Photo,
    PhotoRef,
    Suggested,
    Suggestions,
)

TRIES = 3
_PAUSES = (0.1, 0.5)
_AT_ONCE = 5000  # photos of one request
_MOST_ANSWER = 256 << 20


class Client:
    """Talks to one bridge. Every method raises ``BridgeError``: ``ProblemError`` where the bridge refuses,
    ``UnreachableError`` where it does not answer within ``timeout`` seconds."""

    def __init__(
        self, connection: Connection, timeout: float = 30.0, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._connection = connection
        self._timeout = timeout
        self._pause = pause

    @classmethod
    def open(cls, home: Path | None = None, timeout: float = 30.0) -> Client:
        """The client of this user's bridge, which is started where it does not run."""
        from keywright_plugin.starting import ensure_bridge

        return cls(ensure_bridge(home), timeout)

    # --- photos and suggestions

    def find_photos(self, named: Sequence[PhotoRef]) -> list[Photo | str]:
        """Each photo, or the sentence why it is none, in the order named."""
        found: list[Photo | str] = []
        for part in _parts(named):
            told = self.request("POST", "/v1/photos", {"photos": [one.told() for one in part]}, safe=True)
            found += [str(one["error"]) if one["photo"] is None else Photo.of(one["photo"]) for one in told["photos"]]
        return found

    def suggest(
        self,
        photos: Sequence[int],
        *,
        min_confidence: float | None = None,
        limit: int | None = None,
        profile: str | None = None,
    ) -> Suggestions:
        """Suggestions for known photos; those that wait for a vector are put into a job."""
        asked = {"min_confidence": min_confidence, "limit": limit, "profile": profile}
        body = {"photos": list(photos), **{name: value for name, value in asked.items() if value is not None}}
        told = self.request("POST", "/v1/suggestions", body, safe=True)
        return Suggestions(told["model_version"], tuple(Suggested.of(one) for one in told["photos"]), told["job"])

    def send_rendition(self, photo: int, jpeg: bytes) -> int:
        """Send a JPEG of a photo that the bridge cannot read; gives the number of the job that embeds it."""
        told = self._send("PUT", f"/v1/photos/{photo}/rendition", jpeg, "image/jpeg", {}, safe=True)
        return int(told["job"])

    def decide(self, made: Sequence[DecisionMade], key: str | None = None) -> int:
        """Keep decisions, once whatever happens to the connection; they are on the disk when this returns."""
        kept = 0
        for number, part in enumerate(_parts(made)):
            named = f"{key or uuid.uuid4().hex}.{number}"
            body = {"decisions": [asdict(one) for one in part]}
            kept += int(self.request("POST", "/v1/decisions", body, key=named)["kept"])
        return kept

    # --- catalogs and jobs

    def catalogs(self) -> list[Catalog]:
        return [Catalog.of(one) for one in self.request("GET", "/v1/catalogs")["catalogs"]]

    def add_catalog(self, source: str, *, learn: bool = True) -> Catalog:
        """Register a catalog; ``job`` reads it."""
        return Catalog.of(self.request("POST", "/v1/catalogs", {"source": source, "learn": learn}, safe=True))

    def learn(self, catalog: int) -> Job:
        return Job.of(self.request("POST", f"/v1/catalogs/{catalog}/learn"))

    def embed(self, photos: Sequence[int]) -> Job:
        """Have photos embedded that are new or were edited."""
        return Job.of(self.request("POST", "/v1/jobs/embed", {"photos": list(photos)}, safe=True))

    def job(self, number: int) -> Job:
        return Job.of(self.request("GET", f"/v1/jobs/{number}"))

    def cancel(self, number: int) -> Job:
        return Job.of(self.request("POST", f"/v1/jobs/{number}/cancel"))

    def wait(self, number: int, watch: Callable[[Job], None] = lambda _: None, every: float = 0.25) -> Job:
        """Until a job has ended; ``watch`` is told how far it is."""
        while True:
            job = self.job(number)
            watch(job)
            if job.ended:
                return job
            self._pause(every)

    # --- write-backs

    def apply(self, catalogs: Sequence[int] = (), *, min_confidence: float | None = None) -> Job:
        """Write into files what was accepted, or what is at least so sure."""
        body: dict[str, object] = {"catalogs": list(catalogs)}
        if min_confidence is not None:
            body["min_confidence"] = min_confidence
        return Job.of(self.request("POST", "/v1/write-backs", body))

    def undo(self, batch: str, photos: Sequence[int] = ()) -> Job:
        return Job.of(self.request("POST", f"/v1/write-backs/{batch}/undo", {"photos": list(photos)}))

    def pending(self, catalog: int) -> Iterator[PendingPhoto]:
        """What the host is to do in its own catalog."""
        after: int | None = 0
        while after is not None:
            told = self.request("GET", f"/v1/write-backs/pending?catalog={catalog}&after={after}&limit=500")
            for one in told["photos"]:
                in_host = {k: told["host_ids"][k] for k in (*one["add"], *one["remove"]) if k in told["host_ids"]}
                yield PendingPhoto(one["photo"], one["host_id"], one["path"], one["add"], one["remove"], in_host)
            after = told["next"]

    def report(self, reports: Sequence[HostReport], key: str | None = None) -> int:
        """Tell what the host did, or could not do."""
        kept = 0
        for number, part in enumerate(_parts(reports)):
            named = f"{key or uuid.uuid4().hex}.{number}"
            body = {"reports": [asdict(one) for one in part]}
            kept += int(self.request("POST", "/v1/write-backs/reports", body, key=named)["kept"])
        return kept

    # --- the bridge

    def login_link(self) -> str:
        """An address that opens one session in the user's browser."""
        return str(self.request("POST", "/v1/login-links")["url"])

    def shut_down(self) -> None:
        self.request("POST", "/v1/shutdown")

    def request(
        self, method: str, path: str, body: object = None, *, key: str | None = None, safe: bool = False
    ) -> dict[str, Any]:
        """One request of the API. ``safe``: sending it twice does no harm, so it is sent again where it failed."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Idempotency-Key": key} if key else {}
        again = safe or key is not None or method == "GET"
        return self._send(method, path, data, "application/json" if data is not None else None, headers, safe=again)

    def _send(
        self, method: str, path: str, data: bytes | None, media: str | None, headers: dict[str, str], *, safe: bool
    ) -> dict[str, Any]:
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

    def _once(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
        line = http.client.HTTPConnection(self._connection.host, self._connection.port, timeout=self._timeout)
        try:
            line.request(method, path, body=data, headers=headers)
            answer = line.getresponse()
            told = json.loads(answer.read(_MOST_ANSWER) or b"{}")
        except ValueError as error:
            raise UnreachableError(f"What answers at {self._connection.url} is no Keywright.") from error
        finally:
            line.close()
        if answer.status >= 400:
            kind = str(told.get("type", "")).rpartition(":")[2]
            raise ProblemError(answer.status, kind, str(told.get("detail", answer.reason)), told.get("errors", ()))
        if not isinstance(told, dict):
            raise UnreachableError(f"What answers at {self._connection.url} is no Keywright.")
        return told


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
