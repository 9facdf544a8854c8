"""Downloads that go on where they were cut off, and are what was promised or are not kept.

A file grows beside its place as ``NAME.part`` and takes its place once its size and SHA-256 are right. What was there
already is asked for no more (HTTP Range); a server that cannot do that sends all of it again.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keywright.encoders.base import EncoderError
from keywright.errors import reason

TRIES = 5
"""How often a download that brings nothing new is tried before it is given up."""
_BLOCK = 1 << 20
_SECONDS = 60.0

Told = Callable[[int], None]
"""Called with the bytes of the file that are there."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch: ``size`` in bytes; ``sha256`` where the server says it."""

    url: str
    size: int
    sha256: str | None


class DownloadStoppedError(EncoderError):
    """The user stopped the download; what came is kept."""


def fetch_json(url: str) -> object:
    """A JSON document. Raises ``EncoderError``."""
    try:
        with urllib.request.urlopen(_request(url), timeout=_SECONDS) as answer:
            found: object = json.load(answer)
            return found
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EncoderError(f"{url} cannot be read ({_why(error)}); are you online? {_OFFLINE}") from None


_OFFLINE = "On a machine without a network, pull with --from FOLDER."


def download(remote: Remote, target: Path, told: Told, stop: Callable[[], bool], wait: float = 1.0) -> None:
    """Fetch ``remote`` to ``target``; done already costs nothing but reading the file.

    ``wait``: seconds before the second try, doubled each time. Raises ``EncoderError`` where it cannot be had or is
    not what was promised, ``DownloadStoppedError`` where ``stop()`` said so.
    """
    part = target.with_name(target.name + ".part")
    if target.is_file() and target.stat().st_size == remote.size and _matches(target, remote):
        told(remote.size)
        return
    failures = 0
    while not part.is_file() or part.stat().st_size < remote.size:
        before = part.stat().st_size if part.is_file() else 0
        try:
            _go_on(remote, part, told, stop)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404, 410):
                raise EncoderError(f"{remote.url} cannot be had ({_why(error)}); try again later. {_OFFLINE}") from None
            came = (part.stat().st_size if part.is_file() else 0) - before
            failures = 1 if came > 0 else failures + 1
            if failures >= TRIES:
                raise EncoderError(
                    f"{remote.url} was cut off again and again ({_why(error)}); pull again to go on where it stopped."
                ) from None
            time.sleep(wait * 2 ** (failures - 1))
    if part.stat().st_size != remote.size or not _matches(part, remote):
        part.unlink()
        raise EncoderError(
            f"What came from {remote.url} is not what its checksum promises; it was removed, pull again."
        )
    part.replace(target)


def _go_on(remote: Remote, part: Path, told: Told, stop: Callable[[], bool]) -> None:
    there = part.stat().st_size if part.is_file() else 0
    request = _request(remote.url)
    if there:
        request.add_header("Range", f"bytes={there}-")
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        whole = answer.status != 206
        with part.open("wb" if whole else "ab") as out:
            got = 0 if whole else there
            while block := answer.read(_BLOCK):
                out.write(block)
                got += len(block)
                told(min(got, remote.size))
                if stop():
                    raise DownloadStoppedError("Stopped; pull again to go on where it stopped.")
                if got > remote.size:
                    return  # the checksum will say what to do
        if got < remote.size:
            raise http.client.IncompleteRead(b"", remote.size - got)


def _request(url: str) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"User-Agent": "keywright"})


def _matches(file: Path, remote: Remote) -> bool:
    if remote.sha256 is None:
        return True
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest() == remote.sha256


def _why(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server says {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return reason(error.reason)
    return reason(error)
